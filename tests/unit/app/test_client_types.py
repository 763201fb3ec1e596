"""The dashboard's types are generated from the API's document, and must not fall behind it."""

import re
from pathlib import Path

from bestex.app.openapi import digest, document

GENERATED = Path(__file__).parents[3] / "src/bestex/dashboard/ui/src/api/openapi.ts"


def test_the_dashboards_types_are_made_from_the_document_the_api_serves() -> None:
    written = re.search(r'DOCUMENT = "([0-9a-f]{64})"', GENERATED.read_text())
    assert written is not None, "openapi.ts has no digest; run `make client-types`"
    assert written[1] == digest(document()), "the API's document changed; run `make client-types` and mend the screens"


def test_a_renamed_field_changes_the_digest_and_a_reworded_description_does_not() -> None:
    found = document()
    before = digest(found)
    found["info"]["description"] = "other words"
    assert digest(found) == before
    rows = found["components"]["schemas"]["ParentOrderRow"]["properties"]
    rows["quantities"] = rows.pop("quantity")
    assert digest(found) != before
