"""What git chat doctor says of rooms that a remote numbers."""

from __future__ import annotations

from tests.clones.conftest import Hub


def test_doctor_tells_what_is_pending(hub: Hub) -> None:
    """Nothing pending is in order; what waits for the remote is a note with the command that pushes it."""
    ann = hub.clone("ann")
    ann.say("first")
    ann.sync()
    assert "its numbers come from the remote 'origin', and nothing is pending" in ann.chat("doctor", check=True).stdout
    ann.say("second")
    told = ann.chat("doctor", check=True).stdout
    assert "note   room lobby: 1 record pending: 'origin' has not accepted it yet" in told
    assert "git chat sync origin" in told


def test_doctor_misses_a_remote_that_is_gone(hub: Hub) -> None:
    """A room whose remote was removed or renamed can give no numbers, and says what mends it."""
    ann = hub.clone("ann")
    ann.say("first")
    ann.sync()
    ann.git("config", "--remove-section", "remote.origin")
    done = ann.chat("doctor")
    assert "WRONG  room lobby: its numbers come from the remote 'origin', and there is no such remote" in done.stdout
    assert "git config chatroom.lobby.remote NAME" in done.stdout
