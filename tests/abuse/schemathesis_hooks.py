"""What Schemathesis has to know of Recollect beside its OpenAPI document: two media types, and the rules that no schema can say."""

import json
import re

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def ndjson(_context, value):
    """A list becomes one line of JSON an item; anything else is one line."""
    lines = value if isinstance(value, list) else [value]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


@schemathesis.serializer("application/zstd")
def zstd(_context, value):
    """No file of another instance can be made up: the import that takes it ends with an error of its own."""
    return json.dumps(value).encode()


# Codes of 422 that say what the store holds, not what is wrong with the request.
STATES = {"SESSION_DELETED", "EVENT_FORGOTTEN", "CAPTURE_DISABLED", "EXCLUDED", "EVENT_NOT_STORABLE"}
# By operation: "FIELD MESSAGE" of a 422 that names a rule which stands in the description, because no schema can say it.
RULES = {
    "GET /api/v1/graph": [r"q says another beginning than node"],
    "GET /api/v1/jobs": [r"cursor is none that this list gave"],
    "GET /api/v1/learnings": [r"cursor is none that this list gave", r"include_closed says another thing than as_of"],
    "GET /api/v1/sessions/{id}/summaries": [r"cursor is none that this list gave"],
    "GET /api/v1/timeline": [r"anchor or q is needed, and not both"],
    "GET /api/v1/usage": [r"(since|until) (is before 1970|leaves no time|makes more than)"],
    "GET /api/v1/roi": [r"(since|until) (is before 1970|leaves no time|makes more than)"],
    "DELETE /api/v1/gdpr/restrict": [r"user name a user or a session"],
    "DELETE /api/v1/memories/{id}": [r"id is of a summary"],
    "PUT /api/v1/memories/{id}": [r"id is of a (prompt|summary)", r"flagged is of captured events alone", r"\w+ stays as it was captured"],
    "POST /api/v1/gdpr/rectify": [r"id is of a (prompt|summary)", r"flagged is of captured events alone", r"\w+ stays as it was captured"],
    "POST /api/v1/memories": [r"occurred_at lies in the future", r"project there is no such project"],
    "POST /api/v1/learnings": [r"project there is no such project", r"evidence\.\d+\.(row_id there is no such row|quote does not stand)"],
    "POST /api/v1/learnings/{id}/supersede": [
        r"by (is the same learning|there is no such learning|does not hold any more)",
        r"by\.project there is no such project",
        r"by\.evidence\.\d+\.(row_id there is no such row|quote does not stand)",
    ],
    "POST /api/v1/context/{id}/feedback": [r"(useful|wrong)\.\d+ (was not served|names several items|cannot be)"],
    "POST /api/v1/search/semantic": [r"vector must have \d+ numbers"],
    "PUT /api/v1/projects/{id}": [r"aliases_(add|remove)\.\d+ must be a git remote"],
    "POST /api/v1/gdpr/erase": [r"name is not the name of this tenant"],
    "POST /api/v1/imports": [r"(directory|file) (is nothing that this server may read|does not exist)"],
    "PUT /api/v1/admin/retention/policies": [
        r"policies\.\d+\.project is no project of this tenant",
        r"policies\.\d+ names the same",
    ],
}


def is_documented(operation, answer):
    """Whether a 422 is one of the above in every detail."""
    if answer.get("code") in STATES:
        return operation in ("POST /api/v1/events", "POST /api/v1/hooks/{event}")
    said = [f"{detail['field']} {detail['message']}" for detail in answer.get("details", [])]
    rules = RULES.get(operation, [])
    return bool(said) and all(any(re.match(rule, each) for rule in rules) for each in said)


@schemathesis.check
def refusal_that_no_schema_can_say(ctx, response, case):
    """`positive_data_acceptance` lets 422 through where the configuration says so: here each of them must be one that is documented."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != 422:
        return
    answer = json.loads(response.content)
    assert is_documented(case.operation.label, answer), f"a request that the document allows is refused: {answer}"
