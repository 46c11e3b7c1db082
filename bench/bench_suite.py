"""The suite under pytest: every workload of ``bench.suite``, the contenders by turns."""


def test_workload(contest):
    contest.measure()
