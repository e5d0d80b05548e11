"""Pickles read as data: numpy's own give what numpy gives, hostile ones run nothing."""

from __future__ import annotations

import contextlib
import os
import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from embodied.motion.formats.pickles import Refused, read_pickle

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_numpy_pickles_is_what_is_read_in_every_protocol(protocol):
    rng = np.random.default_rng(0)
    given = {
        "double": rng.normal(size=(3, 4, 2)),
        "single": rng.normal(size=5).astype(np.float32),
        "fortran": np.asfortranarray(rng.normal(size=(3, 4))),
        "big": np.arange(6, dtype=">i4").reshape(2, 3),
        "flags": np.array([True, False]),
        "none": np.zeros((0, 3)),
        "scalar": np.float64(1.5),
        "whole": np.int64(-7),
        "plain": [1, 2.5, "ä", None, True, (1, [2, {"deep": -(2**70)}])],
        "ordered": OrderedDict(a=1, b=[1, 2]),
    }
    read = read_pickle(pickle.dumps(given, protocol))
    for name, value in given.items():
        if isinstance(value, np.ndarray):
            assert read[name].dtype == value.dtype.newbyteorder("=")
            assert np.array_equal(read[name], value), name
    assert read["scalar"] == 1.5
    assert read["whole"] == -7
    assert read["plain"] == [1, 2.5, "ä", None, True, [1, [2, {"deep": -(2**70)}]]]
    assert read["ordered"] == {"a": 1, "b": [1, 2]}


class Runs:
    """Whatever it is asked to call, with whatever arguments."""

    def __init__(self, call, *arguments) -> None:
        self.made = call, arguments

    def __reduce__(self):
        return self.made


class Restores:
    """Sets its state by a method of its own."""

    def __setstate__(self, state) -> None:
        Path(state["touch"]).touch()

    def __getstate__(self):
        return {"touch": "never"}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "hostile",
    [
        lambda ran: Runs(os.system, f"touch {ran}"),
        lambda ran: Runs(eval, f"open({str(ran)!r}, 'w')"),
        lambda ran: Runs(Path.touch, ran),
        lambda ran: Runs(getattr, Path, "touch"),
        lambda ran: Runs(np.load, str(ran), None, True),
        lambda ran: {"inside": np.array([Runs(os.system, f"touch {ran}")], dtype=object)},
        lambda ran: {"inside": OrderedDict(a=Runs(os.system, f"touch {ran}"))},
        lambda ran: Restores(),
    ],
)
def test_a_pickle_that_asks_for_code_is_refused_and_runs_none(tmp_path, hostile, protocol):
    ran = tmp_path / "ran"
    content = pickle.dumps(hostile(ran), protocol)
    with pytest.raises(Refused, match="code"):
        read_pickle(content)
    assert not ran.exists()


def test_the_refusal_says_what_was_asked_for():
    with pytest.raises(Refused, match=r"posix\.system|nt\.system"):
        read_pickle(pickle.dumps(Runs(os.system, "true")))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        # ndarray called outright, with a buffer for pointers to objects.
        (b"cnumpy\nndarray\n((I1\ntS'O'\nS'" + b"A" * 8 + b"'\ntR.", "calls ndarray in a way that numpy does not"),
        # An array whose type claims pointers but whose content is bytes.
        (
            b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
            b"(I1\n(I1\ntcnumpy\ndtype\n(S'O8'\ntRI00\nS'AAAAAAAA'\ntb.",
            "holds an array of objects",
        ),
        # An array that says it is larger than it is.
        (
            b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
            b"(I1\n(I999999999\ntcnumpy\ndtype\n(S'f8'\ntRI00\nS'AAAAAAAA'\ntb.",
            "not as many bytes",
        ),
        (b"cos\nsystem\n(S'true'\ntR.", r"asks for os\.system"),
        (b"(S'true'\nios\nsystem\n.", "opcode INST"),
        (b"cnumpy\nndarray\n(S'a'\nS'b'\ndb.", "sets the state"),
        (b"\x80\x02P0\n.", "opcode PERSID|damaged"),
        (b"\x80\x04\x82\x01.", "opcode EXT1"),
        (b"]", "cut short|damaged"),
        (b"", "damaged|cut short"),
        (b"K\x01K\x02e.", "damaged"),
        (b"(" * 5 + b".", "damaged"),
        (b"]q\x00h\x00a.", "nested"),
    ],
)
def test_pickles_written_by_hand_to_do_harm_are_refused(content, why):
    with pytest.raises(Refused, match=why):
        read_pickle(content)


def test_lists_of_themselves_are_not_unfolded_without_end():
    folded: list[object] = [1]
    for _ in range(40):
        folded = [folded, folded]  # 2^40 numbers once unfolded
    with pytest.raises(Refused, match="holds more, than any motion"):
        read_pickle(pickle.dumps(folded))


def test_a_damaged_pickle_is_refused_or_read_but_never_fails_otherwise():
    whole = pickle.dumps({"a": np.arange(20.0), "b": ["text", 3]})
    rng = np.random.default_rng(0)
    for _ in range(400):
        changed = bytearray(whole)
        changed[rng.integers(len(whole))] = rng.integers(256)
        with contextlib.suppress(Refused):
            read_pickle(bytes(changed[: rng.integers(1, len(whole) + 1)]))
