"""Adds two media types to Schemathesis, and the rules that Recollect's OpenAPI document cannot express as schemas."""

import json
import re

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def ndjson(_context, value):
    """Serializes each item of a list, or another value, as one line of JSON."""
    lines = value if isinstance(value, list) else [value]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


@schemathesis.serializer("application/zstd")
def zstd(_context, value):
    """Serializes JSON: a valid export file cannot be generated, so the import fails."""
    return json.dumps(value).encode()


# Codes of 422 that depend on stored data, not on the request.
STATES = {"SESSION_DELETED", "EVENT_FORGOTTEN", "CAPTURE_DISABLED", "FOLDER_EXCLUDED", "EVENT_NOT_STORABLE"}
# By operation: "FIELD MESSAGE" of a 422 for a rule that only the description states.
RULES = {
    "GET /api/v1/graph": [r"q cannot be combined with node"],
    "GET /api/v1/admin/audit-log": [r"cursor is not a cursor of this list"],
    "GET /api/v1/jobs": [r"cursor is not a cursor of this list"],
    "GET /api/v1/learnings": [r"cursor is not a cursor of this list", r"include_closed cannot be combined with as_of"],
    "GET /api/v1/contexts": [r"cursor is not a cursor of this list"],
    "GET /api/v1/feed": [r"cursor is not a cursor of this list"],
    "GET /api/v1/feed/density": [r"since (must be before until|leaves more than \d+ buckets)"],
    "GET /api/v1/sessions": [r"cursor is not a cursor of this list"],
    "GET /api/v1/sessions/{id}/observations": [r"cursor is not a cursor of this list"],
    "GET /api/v1/sessions/{id}/prompts": [r"cursor is not a cursor of this list"],
    "GET /api/v1/sessions/{id}/summaries": [r"cursor is not a cursor of this list"],
    "GET /api/v1/sessions/{id}/windows": [r"cursor is not a cursor of this list"],
    "GET /api/v1/timeline": [r"anchor or q is needed, and not both"],
    "GET /api/v1/usage": [
        r"(since|until) (is before 1970|leaves no time|spans more than)",
        r"by_day needs group_by other than day",
        r"limit is at most \d+ with by_day",
    ],
    "GET /api/v1/roi": [r"(since|until) (is before 1970|leaves no time|spans more than)"],
    "DELETE /api/v1/gdpr/restrict": [r"user name a user or a session"],
    "DELETE /api/v1/memories/{id}": [r"id is (of a summary|a source)"],
    "PUT /api/v1/memories/{id}": [r"id is of a (prompt|summary)", r"flagged applies only to captured events", r"\w+ cannot change after capture"],
    "POST /api/v1/gdpr/rectify": [r"id is of a (prompt|summary)", r"flagged applies only to captured events", r"\w+ cannot change after capture"],
    "POST /api/v1/memories": [r"occurred_at is in the future", r"project there is no such project"],
    "POST /api/v1/learnings": [r"project there is no such project", r"evidence\.\d+\.(row_id there is no such row|quote is not verbatim)"],
    "POST /api/v1/learnings/{id}/supersede": [
        r"by (is the same learning|there is no such learning|is closed)",
        r"by\.project there is no such project",
        r"by\.evidence\.\d+\.(row_id there is no such row|quote is not verbatim)",
    ],
    "POST /api/v1/context/{id}/feedback": [r"(useful|wrong)\.\d+ (was not served|names several items|cannot be)"],
    "POST /api/v1/search/semantic": [r"vector must have \d+ numbers"],
    "PUT /api/v1/projects/{id}": [r"aliases_(add|remove)\.\d+ must be a git remote"],
    "POST /api/v1/gdpr/erase": [r"name is not the name of this tenant"],
    "POST /api/v1/imports": [r"(directory|file) (is nothing that this server may read|does not exist)"],
    "POST /api/v1/admin/api-keys": [r"expires_at is not in the future"],
    "PUT /api/v1/auth/password": [r"current_password is required", r"password (repeats one character|consists of)"],
    "POST /api/v1/admin/users/{id}/transfer": [r"to is the same user"],
    "PUT /api/v1/admin/api-keys/{id}": [r"expires_at is not in the future"],
    "PUT /api/v1/admin/retention/policies": [
        r"policies\.\d+\.project is no project of this tenant",
        r"policies\.\d+ names the same",
    ],
}


def is_documented(operation, answer):
    """Returns True if every detail of a 422 matches a rule above."""
    if answer.get("code") in STATES:
        return operation in ("POST /api/v1/events", "POST /api/v1/hooks/{event}")
    details = [f"{detail['field']} {detail['message']}" for detail in answer.get("details", [])]
    rules = RULES.get(operation, [])
    return bool(details) and all(any(re.match(rule, each) for rule in rules) for each in details)


@schemathesis.check
def documented_rejection(ctx, response, case):
    """Asserts that a 422, which `positive_data_acceptance` accepts for some operations, is documented."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != 422:
        return
    answer = json.loads(response.content)
    assert is_documented(case.operation.label, answer), f"a request that the document allows is rejected: {answer}"
