from embodied.bench.tune import EVOLVE, TRAIN, Choice, Tune, bench_tune, best
from tests.bench.silence import Silent


def test_of_what_is_about_as_fast_the_smallest_is_chosen():
    choices = [
        Choice(TRAIN, 64, 1, 50.0),
        Choice(TRAIN, 128, 2, 98.0),
        Choice(TRAIN, 256, 2, 100.0),
        Choice(TRAIN, 512, 4, 99.0),
    ]
    assert best(choices) == choices[1]
    assert best(choices[:1]) == choices[0]
    assert best([Choice(EVOLVE, 64, 2, 96.0), Choice(EVOLVE, 128, 2, 100.0)]).worlds == 128


def test_the_flags_that_are_printed_are_those_chosen():
    figures = bench_tune(Tune(samples=32, worlds=(4, 8), seconds=0.01, rounds=1, cores=1), Silent())
    assert set(figures[TRAIN]) == {"4 worlds, 1 thread", "8 worlds, 1 thread"}
    assert set(figures[EVOLVE]) == {"4 worlds, 1 worker", "8 worlds, 1 worker"}
    for command, line in zip((TRAIN, EVOLVE), figures["commands"], strict=True):
        worlds = int(figures["chosen"][command].split()[0])
        assert line.startswith(f"embodied {command} --task flat")
        assert f"--worlds {worlds} " in line
        assert line.endswith(f"--ppo.rollout-steps {32 // worlds}")
