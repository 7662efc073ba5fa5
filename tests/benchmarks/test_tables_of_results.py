import report
from jobs import JOBS, Contender, Job, Target
from report import Finished

TARGET = Target(10, ("slow", "slower"))


def finished(measure="rows_per_second", **results):
    """A job that the named contenders have done."""
    contenders = tuple(Contender(name, "h2olite", {}) for name in results)
    job = Job("job", "{table}, a job", "digits", measure, contenders, (TARGET,))
    return Finished(job, "digits", results)


def result(speed, loss, peak=1_000_000):
    return {"rows_per_second": speed, "seconds": 1 / speed, "loss": loss, "peak": peak}


def test_every_job_is_named_once_and_compares_with_its_own_contenders():
    assert len({job.name for job in JOBS}) == len(JOBS)
    for job in JOBS:
        names = [contender.name for contender in job.contenders]
        assert len(set(names)) == len(names)
        assert {name for target in job.targets for name in (target.of, *target.against)} <= set(names)


def test_ratios_are_those_of_single_repetitions_to_the_best_of_the_others():
    done = finished(
        h2olite=[result(100, 0.2), result(200, 0.2), result(300, 0.2)],
        slow=[result(10, 0.3), result(10, 0.3), result(20, 0.3)],
        slower=[result(1, 0.1)] * 3,
    )
    assert report.target_line(done, TARGET) == (
        "| digits, a job | 200 rows/s | slow | 10 rows/s | **15** (10 to 20) | 10 | yes | 0.2, 0.3 | yes |"
    )


def test_a_worse_loss_is_told_however_fast():
    done = finished(h2olite=[result(100, 0.4)], slow=[result(1, 0.3)])
    assert report.target_line(done, TARGET).endswith("| 10 | yes | 0.4, 0.3 | no |")


def test_a_goal_that_is_never_reached_is_not_met():
    done = finished(
        "seconds_to_goal", h2olite=[{"seconds_to_goal": None, "peak": 1}], slow=[{"seconds_to_goal": 2.0, "peak": 1}]
    )
    assert report.target_line(done, TARGET) == (
        "| digits, a job | never | slow | 2 s | **0** (0 to 0) | 10 | no |  |  |"
    )


def test_a_target_without_anybody_to_compare_with_has_no_line():
    done = finished(h2olite=[result(100, 0.4)])
    assert report.target_line(done, TARGET) is None


def test_a_section_takes_the_place_of_the_one_before(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- speed -->\nold\n<!-- end of speed -->\nafter\n")
    for text in ("new", "newer"):
        report.write("speed", text, page)
    assert page.read_text() == "before\n<!-- speed -->\nnewer\n<!-- end of speed -->\nafter\n"
