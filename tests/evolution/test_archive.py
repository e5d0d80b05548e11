import pytest

from embodied.evolution.archive import CELLS, Archive, cell_of, clusters_in_use


def test_cells_count_limbs_and_steps_of_height_and_end_in_open_bins():
    assert cell_of({"limbs": 2, "height": 0.1}) == (0, 0)
    assert cell_of({"limbs": 10, "height": 0.26}) == (8, 1)
    assert cell_of({"limbs": 25, "height": 7.0}) == (8, 7)
    assert cell_of({"limbs": 0, "height": 0.0}) == (0, 0)
    assert len({cell_of({"limbs": limbs, "height": 0.5}) for limbs in range(2, 11)}) == 9


def test_an_archive_keeps_the_best_of_every_cell():
    archive = Archive()
    low, high = {"limbs": 3, "height": 0.3}, {"limbs": 8, "height": 1.0}
    assert [archive.add(low, 5.0, "a"), archive.add(low, 4.0, "b"), archive.add(low, 5.0, "c")] == [True, False, False]
    assert archive.add(low, 6.0, "d")
    assert archive.add(high, -3.0, "e")
    assert [elite for _, elite in archive.elites.values()] == ["d", "e"]
    assert archive.coverage == pytest.approx(2 / CELLS)
    assert archive.quality_diversity == 6.0  # a negative fitness adds nothing
    assert clusters_in_use([low, high, low]) == 2
