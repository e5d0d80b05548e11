"""How many bodies share a topology, told from a ledger."""

from dataclasses import replace

from embodied.evolution.buckets import SIZES
from embodied.evolution.evolve import Evolution
from embodied.report.history import read_history
from embodied.report.topologies import sharing, sharing_table
from embodied.runs.folder import RunFolder
from morphologies import find_body, to_json
from tests.evolution.short import SMALL, outcome
from tests.morphologies.kin import KIN


def evolved(folder, genomes):
    """An evolution in whose ledger these bodies lived, the first two as the initial population."""
    with RunFolder.open(folder, "evolve", {"population": 2, "task": "flat"}, resume=False):
        evolution = Evolution(SMALL, folder)
        some = evolution.breeding.one(0)
        for number, genome in enumerate(genomes):
            birth = replace(some, id=number, genome=to_json(genome), generation=int(number >= 2))
            evolution.ledger.begin(birth)
            evolution.finish(birth, outcome())
        evolution.ledger.close()
    return read_history(folder)


def test_bodies_are_counted_by_generation_and_kind(tmp_path):
    ant = find_body("ant").genome
    first, second = sharing(evolved(tmp_path / "run", (KIN[0], ant, *KIN, ant, ant)))
    assert (first.label, first.bodies, first.topologies) == ("0", 2, 2)
    assert first.shares == dict.fromkeys(SIZES, 0.0)
    assert (second.label, second.bodies, second.topologies) == ("1", 5, 2)
    assert second.shares == {2: 1.0, 4: 0.0, 8: 0.0, 16: 0.0}


def test_the_table_tells_shares_in_per_cent(tmp_path):
    head, first, second = sharing_table(sharing(evolved(tmp_path / "run", (KIN[0], KIN[1], *KIN, *KIN[:1]))))
    assert head[:3] == ("generation", "bodies", "topologies")
    assert first == ("0", "2", "1", "100 %", "0 %", "0 %", "0 %")
    assert second == ("1", "4", "1", "100 %", "100 %", "0 %", "0 %")
