"""Hints of the server and its tokens that are printed on the command line; those that HTTP gives have their tests."""

from __future__ import annotations

from tests.hints.situation import Elsewhere, NotRun, Repository, Situation

TOKENS = [
    Situation(
        run="git chat token revoke nobody",
        error="there is no token of 'nobody'",
        hint="see which there are: git chat token list",
        then="git chat token list",
        again="",
    ),
    Situation(
        given="git chat token add bot\necho nonsense > .git/chatroom/tokens.json",
        run="git chat token list",
        error="[..]/tokens.json is not what gitchat writes there",
        hint="remove it, and make new tokens: rm '[..]/tokens.json'",
        then="rm '[..]/tokens.json'",
    ),
]

STARTING = [
    Situation(
        run="git chat serve --host 0.0.0.0 --plain --open",
        error="--open lets every program in, and 0.0.0.0 is reached by more than this machine",
        hint="leave --open out, and make tokens: git chat token add NAME",
        then="git chat token add NAME",
        fill={"NAME": "ana"},
        again="",
    ),
    Situation(
        run="git chat serve --behind-proxy nginx",
        error="--behind-proxy is 'nginx', and not the network of your proxies, such as 127.0.0.1/32 or 10.0.0.0/8",
        hint="see what it takes: git chat serve -h",
        then="git chat serve -h",
        again="",
    ),
    Situation(
        run="git chat serve nowhere",
        error="there is no directory nowhere",
        hint="see what it takes: git chat serve -h",
        then="git chat serve -h",
        again="",
    ),
    Situation(
        given="git config chat.servePort many",
        run="git chat serve",
        error="the setting chat.servePort is 'many', and not a port from 0 to 65535",
        hint="set it: git config chat.servePort VALUE; or remove it: git config --unset chat.servePort",
        then="git config --unset chat.servePort",
        again="",
    ),
    Situation(
        run="git chat setup claude --user --connect auto",
        error="--connect auto is the server of one clone, started where none runs, and --user is for all of them",
        hint="name the address of a server, or leave --user out: git chat setup CLIENT --connect auto",
        then="git chat setup CLIENT --connect auto",
        fill={"CLIENT": "claude"},
        again="",
    ),
    Situation(
        run="git chat mcp --connect auto --json",
        error="with --connect the server decides how it answers",
        hint="leave the other options out: git chat mcp --connect URL [--profile PROFILE]",
        then="git chat mcp --connect URL [--profile PROFILE]",
        fill={"URL": "http://127.0.0.1:9", " [--profile PROFILE]": ""},
        again="",
    ),
]

REPOSITORIES = [Repository("tokens", TOKENS), Repository("starting a server", STARTING)]

ELSEWHERE = [
    Elsewhere(
        "tests/serve/test_server_faults.py::test_a_server_that_was_killed_is_no_server",
        'serving(world, "--port"',
        error="no server runs here at port 8080",
        hint="start one: git chat serve",
    ),
    Elsewhere(
        "tests/serve/test_server_faults.py::test_a_port_that_is_taken_is_named_with_who_has_it",
        '"serve", "--url"',
        error="a server of this clone is at port 8080 already: process 123",
        hint="get its address: git chat serve --url; or end it first: kill 123",
    ),
    Elsewhere(
        "tests/serve/test_server_faults.py::test_a_port_that_is_taken_is_named_with_who_has_it",
        "with serving(world, cwd=repo)",
        error="another program listens at port 8080 of 127.0.0.1",
        hint="take any free one: git chat serve --port 0",
    ),
    Elsewhere(
        "tests/serve/test_hinted.py::test_who_is_not_known_is_after_what_the_hint_says",
        '"token", "add", "ana"',
        error="who asks is not known here",
        hint="send the header Authorization: Bearer TOKEN; who runs the server makes one: git chat token add NAME",
    ),
    Elsewhere(
        "tests/serve/test_hinted.py::test_a_guest_writes_after_what_the_hint_says",
        '"token", "add", "bea"',
        error="guests only read",
        hint="ask who runs the server for a token of your own: git chat token add NAME",
    ),
    Elsewhere(
        "tests/serve/test_hinted.py::test_a_token_acts_under_another_name_after_what_the_hint_says",
        '"token", "add", "carl"',
        error="these credentials are for 'bot', and not for 'carl'",
        hint="act as bot, or ask for a token of that name: git chat token add carl",
    ),
    Elsewhere(
        "tests/serve/test_hinted.py::test_figures_are_seen_after_what_the_hint_says",
        '"token", "add", "eye", "--metrics"',
        error="these credentials see no figures",
        hint="ask who runs the server: git chat token add NAME --metrics",
    ),
    Elsewhere(
        "tests/serve/test_hinted.py::test_a_token_that_stood_in_an_address_ends_as_the_hint_says",
        '"token", "revoke", "loud"',
        error="a token must not stand in an address, which is kept in logs and histories",
        hint="revoke it (git chat token revoke NAME), and send the next in a header: Authorization: Bearer TOKEN",
    ),
    Elsewhere(
        "tests/serve/test_server_faults.py::test_the_code_of_the_printed_address_opens_the_page_once",
        '"serve", "--url"',
        error="this code or token is not known: a code holds for ten minutes and for one use",
        hint="get a new address where the server runs: git chat serve --url",
    ),
    Elsewhere(
        "tests/serve/test_hinted.py::test_an_audit_that_cannot_be_written_is_said_before_anybody_asks",
        '"--audit", str(tmp_path / "audit")',
        error="cannot write the audit to /nowhere: No such file or directory",
        hint="name another file: git chat serve --audit FILE",
    ),
    Elsewhere(
        "tests/serve/test_client.py::test_each_message_comes_once_over_a_killed_server",
        'serving(world, "--port"',
        error="http://127.0.0.1:8080 cannot be reached: words",
        hint="start it with git chat serve, or correct the address",
    ),
    Elsewhere(
        "tests/serve/test_forwarding.py::test_a_server_is_started_found_and_found_again",
        '"mcp", "--connect", "auto"',
        error="'localhost:8080' is no address of a server",
        hint="git chat serve prints one, such as http://127.0.0.1:8080; or let it be found: --connect auto",
    ),
    Elsewhere(
        "tests/serve/test_forwarding.py::test_a_token_is_taken_from_a_file_and_without_one_it_is_asked_for",
        '"token", "add", "ann"',
        error="http://127.0.0.1:8080/mcp/gitchat wants a token",
        hint="set GITCHAT_TOKEN, or GITCHAT_TOKEN_FILE to a file with it; git chat token add NAME makes one there",
    ),
    Elsewhere(
        "tests/serve/test_forwarding.py::test_another_server_is_told_apart",
        '"serve", "--url"',
        error="there are no tools at http://127.0.0.1:8080/mcp/gitchat",
        hint="it may be another server, or an older one: git chat serve --url prints the address there",
    ),
]

NOT_RUN = [
    NotRun(
        error="git chat serve needs libraries that only the extra 'serve' brings: websockets",
        hint="pipx install --force 'git-chatroom[serve]'",
        reason="needs an index of packages; tests/cli/test_invite.py has the ways, and the way of a wheel was tried",
    ),
    NotRun(
        error="no server runs on this clone, and here is none to be started",
        hint="pipx install --force 'git-chatroom[serve]'",
        reason="needs an index of packages, as the one above",
    ),
    NotRun(
        error="git chat serve did not start within 30 s",
        hint="see what it says: git chat serve",
        reason="needs a server that is silent for half a minute",
    ),
]
