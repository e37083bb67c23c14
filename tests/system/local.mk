# System tests: Python modules, run in one lab by "run".
EXTRA_DIST += tests/system/run tests/system/harness.py tests/system/browser.py \
	tests/system/image.py tests/system/walk.py tests/system/test_lab.py tests/system/test_main_job.py
if LAB
TESTS += tests/system/run
endif
