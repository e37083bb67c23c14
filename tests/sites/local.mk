# The packages on ordinary Debian mail servers; contrib/check runs them, for it builds packages.
EXTRA_DIST += \
	tests/sites/internet.sh \
	tests/sites/machine \
	tests/sites/relay.sh \
	tests/sites/run \
	tests/sites/site_internet.py tests/sites/site_relay.py \
	tests/sites/site_submission.py \
	tests/sites/story.py \
	tests/sites/submission.sh \
	tests/sites/ways.py
