"""The published bad bundles are found, each by the checks that its manifest names."""

import json

from bad import MANIFEST, bad, manifest


def test_every_published_bad_bundle_fails_the_checks_named():
    published = json.loads(MANIFEST.read_text())
    assert len(published) >= 120
    assert all(one["fails"] for one in published)
    named = {check for one in published for check in one["fails"]}
    assert {f"V{n}" for n in (1, 2, 3, 4, 6, 7, 8, 9, 10, 12, 13, 14, 15, 17)} <= named
    assert manifest(bad()) == published
