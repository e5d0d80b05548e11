import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morphologies import (
    SPLAYED,
    UNIMAL,
    Genome,
    GenomeError,
    Hinge,
    Limb,
    body_names,
    canonical,
    find_body,
    fingerprint,
    from_json,
    initial_population,
    limb_count,
    random_genome,
    read_genome,
    shape_key,
    to_json,
    violation,
)
from morphologies.body import UnknownBody

HINGE = Hinge("y", (-30, 30), 150)
PAIR = Limb("head", 90, 135, 0.3, (HINGE,), mirrored=True)
TAIL = Limb("head", 180, 90, 0.2, (HINGE,))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_a_genome_survives_json_unchanged(seed):
    genome = random_genome(np.random.default_rng(seed))
    assert from_json(to_json(genome)) == genome
    assert from_json(to_json(genome, indent=2)) == genome


def test_a_genome_is_immutable_and_hashable():
    genome = Genome(500, 500, (PAIR,))
    with pytest.raises(dataclasses.FrozenInstanceError):
        genome.limbs = ()
    assert hash(genome) == hash(from_json(to_json(genome)))


def test_the_order_of_siblings_does_not_make_another_body():
    one, other = Genome(500, 600, (PAIR, TAIL)), Genome(500, 600, (TAIL, PAIR))
    assert one != other
    assert canonical(one) == canonical(other)
    assert fingerprint(one) == fingerprint(other)
    assert fingerprint(one) != fingerprint(Genome(600, 600, (PAIR, TAIL)))


def test_mirrored_groups_count_twice_with_all_they_carry():
    shin = Limb("end", 0, 180, 0.3, (HINGE,))
    assert limb_count(Genome(500, 500, (dataclasses.replace(PAIR, limbs=(shin,)), TAIL))) == 5


@pytest.mark.parametrize("name", ["ant", "biped", "crab", "hound", "kangaroo", "tripod"])
def test_every_shipped_body_is_acceptable_in_the_papers_space(name):
    assert name in body_names()
    body = find_body(name)
    assert violation(body.genome, UNIMAL) is None
    assert body.name == name
    assert body.description.limbs == limb_count(body.genome)


def test_an_unknown_body_is_answered_with_the_close_ones():
    with pytest.raises(UnknownBody, match="ant"):
        find_body("antt")
    with pytest.raises(UnknownBody, match="no body and no file"):
        find_body("../assets/genomes/ant")


def genome_data(**changes):
    data = json.loads(to_json(Genome(500, 500, (PAIR, TAIL))))
    data.update(changes)
    return data


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("not json", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("{}", '"format"'),
        ("[]", "is not a genome"),
        (json.dumps(genome_data(version=2)), "newer"),
        (json.dumps(genome_data(version="1")), "version"),
        (json.dumps(genome_data(version=True)), "version"),
        (json.dumps(genome_data(head_density="heavy")), "head_density"),
        (json.dumps(genome_data(head_density=500.5)), "head_density"),
        (json.dumps(genome_data(wings=2)), "unknown field"),
        (json.dumps(genome_data(limbs="two")), "must be a list"),
        (json.dumps(genome_data(limbs=[3])), r"limbs\[0\]"),
        (json.dumps({k: v for k, v in genome_data().items() if k != "limb_density"}), "missing"),
        (to_json(Genome(500, 500, (PAIR,))).replace("0.3", "NaN"), "NaN"),
        (to_json(Genome(500, 500, (PAIR,))).replace("0.3", '"long"'), "height"),
        (to_json(Genome(500, 500, (PAIR,))).replace('"head"', '"neck"'), "site"),
        (" " * (2 << 20), "characters long"),
    ],
)
def test_a_broken_genome_is_refused_with_what_is_wrong(text, says):
    with pytest.raises(GenomeError, match=says):
        from_json(text)


@pytest.mark.parametrize(
    ("genome", "says"),
    [
        (Genome(550, 500, (PAIR,)), "head_density"),
        (Genome(500, 500, (TAIL,)), "has 1 limbs"),
        (Genome(500, 500, ()), "has 0 limbs"),
        (Genome(500, 500, (dataclasses.replace(PAIR, height=0.25),)), "height"),
        (Genome(500, 500, (dataclasses.replace(PAIR, theta=270),)), "left limb"),
        (Genome(500, 500, (dataclasses.replace(PAIR, phi=180, theta=0),)), "left limb"),
        (Genome(500, 500, (PAIR, dataclasses.replace(TAIL, theta=45))), "symmetric"),
        (Genome(500, 500, (PAIR, dataclasses.replace(TAIL, site="end"))), "site"),
        (Genome(500, 500, (dataclasses.replace(PAIR, hinges=()),)), "hinge"),
        (Genome(500, 500, (dataclasses.replace(PAIR, hinges=(HINGE, HINGE)),)), "hinge"),
        (Genome(500, 500, (dataclasses.replace(PAIR, hinges=(Hinge("y", (-30, 31), 150),)),)), "range"),
        (Genome(500, 500, (dataclasses.replace(PAIR, hinges=(Hinge("y", (-30, 30), 175),)),)), "gear"),
        (
            Genome(500, 500, (dataclasses.replace(PAIR, limbs=(Limb("end", 90, 90, 0.2, (HINGE,), mirrored=True),)),)),
            "doubled already",
        ),
        (
            Genome(500, 500, (PAIR, dataclasses.replace(TAIL, limbs=(Limb("middle", 180, 90, 0.2, (HINGE,)),)))),
            "inside its parent",
        ),
    ],
)
def test_a_genome_outside_its_space_is_refused_with_the_rule(genome, says):
    with pytest.raises(GenomeError, match=says):
        UNIMAL.check(genome)


def test_a_genome_file_error_names_the_file(tmp_path):
    with pytest.raises(GenomeError, match=r"none\.json"):
        read_genome(tmp_path / "none.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(GenomeError, match=r"bytes\.json.*UTF-8"):
        read_genome(tmp_path / "bytes.json")
    (tmp_path / "rule.json").write_text(to_json(Genome(500, 500, (TAIL,))))
    with pytest.raises(GenomeError, match=r"rule\.json.*limbs"):
        find_body(tmp_path / "rule.json")
    with pytest.raises(GenomeError, match="cannot be read"):
        read_genome(tmp_path)


def test_limbs_splay_only_in_the_reflecting_space():
    splayed = Genome(500, 500, (dataclasses.replace(PAIR, limbs=(Limb("end", 45, 90, 0.2, (HINGE,)),)),))
    assert "symmetric" in violation(splayed, UNIMAL)
    assert violation(splayed, SPLAYED) is None
    assert find_body(splayed).genome == splayed


def test_an_initial_population_has_one_body_per_shape_while_shapes_last():
    population = initial_population(24, np.random.default_rng(3))
    assert len({shape_key(g) for g in population}) == 24
    assert len(initial_population(0, np.random.default_rng(0))) == 0


def test_a_population_larger_than_the_shapes_found_is_filled_up_with_different_bodies():
    population = initial_population(40, np.random.default_rng(3), candidates_each=1)
    assert len({fingerprint(g) for g in population}) == 40


def test_initial_bodies_have_two_to_ten_limbs_around_the_targets():
    rng = np.random.default_rng(1)
    counts = [limb_count(random_genome(rng)) for _ in range(60)]
    assert min(counts) == 2
    assert max(counts) in (8, 9)
