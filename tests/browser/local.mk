# What Chromium runs for the system tests (test_look.py, test_attack_html.py).
EXTRA_DIST += \
	tests/browser/attack.mjs \
	tests/browser/attacks.txt \
	tests/browser/install \
	tests/browser/lib.mjs \
	tests/browser/look.mjs \
	tests/browser/package-lock.json \
	tests/browser/package.json
