"""The contract's checks, public and named: what every learner owes the harness, whoever wrote it.

`run(cls, params)` gives the report that `hebbench check` prints. Each check is also a function of its own, for a test of
your own: `from harness.checks import check_cutting_the_stream; check_cutting_the_stream(MyLearner)`. With pytest,
`@pytest.mark.parametrize("check", checks(MyLearner), ids=lambda check: check.id)` makes one test of each that applies.
"""

from harness.checks.contract import CHECKS, Check
from harness.checks.declared import (
    check_declared_arrays_exist,
    check_documented,
    check_kernels_name_what_exists,
    check_operations_can_be_counted,
    check_sizes_agree,
    check_source_is_given,
)
from harness.checks.exact import (
    check_compiled_equals_python,
    check_cutting_the_stream,
    check_fork_is_exact,
    check_inputs_untouched,
    check_one_signature,
    check_same_seed_same_bytes,
    check_snapshot_is_exact,
)
from harness.checks.kernels import check_kernels_are_plain
from harness.checks.limits import check_hyperparameters_at_their_ends, check_nan_is_refused, check_one_sample_one_feature
from harness.checks.material import SkippedError
from harness.checks.plastic import (
    check_learning_changes_every_plastic_array,
    check_nothing_undeclared_learns,
    check_predict_leaves_no_mark,
    check_rate_zero_changes_nothing,
    check_responding_leaves_no_mark,
    check_trace_tells_every_change,
)
from harness.checks.report import Outcome, Report, checks, ok, run
from harness.checks.wishes import (
    check_an_audit_can_begin,
    check_an_audit_knows_whose_signals_they_are,
    check_an_audit_sees_every_signal,
)

__all__ = [
    "CHECKS",
    "Check",
    "Outcome",
    "Report",
    "SkippedError",
    "check_an_audit_can_begin",
    "check_an_audit_knows_whose_signals_they_are",
    "check_an_audit_sees_every_signal",
    "check_compiled_equals_python",
    "check_cutting_the_stream",
    "check_declared_arrays_exist",
    "check_documented",
    "check_fork_is_exact",
    "check_hyperparameters_at_their_ends",
    "check_inputs_untouched",
    "check_kernels_are_plain",
    "check_kernels_name_what_exists",
    "check_learning_changes_every_plastic_array",
    "check_nan_is_refused",
    "check_nothing_undeclared_learns",
    "check_one_sample_one_feature",
    "check_one_signature",
    "check_operations_can_be_counted",
    "check_predict_leaves_no_mark",
    "check_rate_zero_changes_nothing",
    "check_responding_leaves_no_mark",
    "check_same_seed_same_bytes",
    "check_sizes_agree",
    "check_snapshot_is_exact",
    "check_source_is_given",
    "check_trace_tells_every_change",
    "checks",
    "ok",
    "run",
]
