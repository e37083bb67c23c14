# System tests: Python modules, run in one lab by "run".
EXTRA_DIST += \
	tests/system/browser.py \
	tests/system/harness.py \
	tests/system/image.py \
	tests/system/run \
	tests/system/test_input.py \
	tests/system/test_lab.py \
	tests/system/test_main_job.py \
	tests/system/test_routes.py \
	tests/system/test_secrets.py \
	tests/system/walk.py
if LAB
TESTS += tests/system/run
endif
