include tests/unit/local.mk
include tests/lint/local.mk
include tests/fuzz/local.mk
include tests/lab/local.mk
include tests/system/local.mk
include tests/sites/local.mk
include tests/bench/local.mk
include tests/browser/local.mk
