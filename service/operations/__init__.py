"""One table of operations behind every door: REST, MCP, command line, pages.  Nothing is written twice.

A door makes one desk when it opens, and lends it to each request under the name of who asks:

    from service.operations.desk import Asker, open_desk
    from service.operations.once import perform_once
    from service.operations.performing import perform, taken_of
    from service.operations.table import OPERATIONS, operation, tools

    with open_desk(settings, asker, campaigns={"mine": Path("mine/campaign.yaml")}) as desk:
        for one in OPERATIONS: …                     # name, summary, takes, answers, method, path, tool
        taken = taken_of(one, {"campaign": "mine-1"})            # ConfigError names the field
        told = await perform(one, taken, desk.asked_by(asker))   # the policy's leave, audit, then the function
        told.model_dump(mode="json")

`one.takes` and `one.answers` are pydantic models: `one.takes.model_json_schema()` is the input schema of a tool.
`perform` asks the policy first (DeniedError, ApprovalNeededError) and runs plain functions in a thread.
`perform_once` is `perform` under an idempotency key: the same key with the same input gives the same answer again.
The asker is found out by the door: actor, roles, `capabilities_of()` the environment, and a `route` such as
`mcp start_campaign`.  The command line, whose looking needs no leave, may call a function itself.

`desk.histories.of(campaign_id)` is the history of a campaign, kept and brought up to date; `service.operations.tail`
follows the events of the ledger live, of any process.

This module imports nothing: a command that needs one operation does not pay for all.
"""
