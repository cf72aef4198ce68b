"""Words of the wire in the words of a clerk."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from edge.domain.settings import SETTINGS

DEEDS: Mapping[str, str] = {
    "signed_in": _("kiosk: signed in"),
    "failed": _("kiosk: wrong badge or PIN"),
    "locked": _("kiosk: badge locked"),
    "refused": _("kiosk: sign-in refused"),
    "checked": _("kiosk: ran the checks"),
    "printed": _("kiosk: printed a test slip"),
    "looked": _("kiosk: opened the camera view"),
    "volume": _("kiosk: changed the volume"),
    "power_off": _("kiosk: switched it off"),
    "restart": _("kiosk: restarted it"),
    "signed_out": _("kiosk: signed out"),
}
"""What staff did at a kiosk, by `edge.domain.staff.Deed`."""

LABELS: Mapping[str, Mapping[str, str]] = {
    "outcome": {
        "passed": _("Passed"),
        "needs_review": _("Needs a person"),
        "declined": _("Declined the face"),
    },
    "method": {
        "kiosk": _("Self-service kiosk"),
        "visit": _("Home visit"),
        "video": _("Video call"),
    },
    "reason": {
        "timed_out": _("Not done in time"),
        "too_early": _("Moved too early"),
        "wrong_action": _("Another movement was seen"),
        "face_lost": _("Face left the picture"),
        "face_changed": _("Face changed during the check"),
        "flat": _("Liveness in doubt"),
        "no_reference": _("No picture to compare with"),
        "not_alike": _("Comparison without success"),
        "camera": _("Camera trouble"),
    },
    "doubt": {
        "other_region": _("The kiosk stands where people of another region are served"),
        "other_name": _("The name on the card is not the name in the registry"),
    },
    "band": {
        "clear": _("Clearly above the threshold"),
        "pass": _("Above the threshold"),
        "below": _("Below the threshold"),
    },
    "reference": {
        "chip": _("Photo on the card's chip"),
        "template": _("Template enrolled at the kiosk"),
        "none": pgettext_lazy("reference picture", "None"),
    },
    "action": {
        "left": _("Turn left"),
        "right": _("Turn right"),
        "up": _("Raise the head"),
        "down": _("Lower the head"),
        "mouth": _("Open the mouth"),
        "blink": _("Blink"),
    },
    "card": {
        "resident": _("Resident identity card"),
        "hmt_permit": _("Residence permit for Hong Kong, Macao and Taiwan residents"),
        "foreign_2017": _("Foreign permanent resident card (2017)"),
        "foreign_2023": _("Foreign permanent resident card (2023)"),
    },
    "flag": {
        "bad_check_digit": _("Check digit of the number does not fit"),
        "birth_mismatch": _("Day of birth differs from the number"),
        "sex_mismatch": _("Sex differs from the number"),
        "expired": _("Card has expired"),
        "not_yet_valid": _("Card is not valid yet"),
        "dates_reversed": _("Dates of validity are reversed"),
    },
    "trust": {
        "ntp": _("network time"),
        "signed": _("signed time"),
        "rtc": _("battery clock"),
        "floor": _("clock unsure"),
        "unknown": _("clock unsure"),
    },
    "device": {
        "card_reader": pgettext_lazy("device", "Card reader"),
        "camera": _("Camera"),
        "printer": _("Receipt printer"),
        "voice": _("Loudspeaker"),
        "panel": _("Panel"),
        "scanner": _("Code scanner"),
        "disk": _("Kiosk's disk"),
    },
    "roster": {
        "too_large": _("No roster can be sent: too many people for one message. People on it:"),
        "damaged_person": _("The roster was sent without people whose rows are damaged:"),
        "damaged_kiosk": _(
            "No roster can be sent: the kiosk's keys here are damaged. Add it again."
        ),
    },
    "condition": {
        "near_end": _("paper near its end"),
        "housing_open": _("housing open"),
        "strained": _("needs looking at"),
        "absent": _("not connected"),
        "silent": _("does not answer"),
        "garbled": _("answers make no sense"),
        "empty": _("empty"),
        "refused": _("refuses to work"),
    },
    "deed": DEEDS,
    "setting": {
        "language": _("Language of the first screen"),
        "tries": _("Tries in front of the camera"),
        "agency.office": _("Office, as people are told"),
        "agency.phone": _("Help line"),
        "screen.idle_s": _("Seconds until a session ends by itself"),
        "devices.volume": _("Loudness of the voice"),
        "devices.dialect": _("Tongue of the voice"),
        "panel.fill_light_percent": _("Brightness of the fill light"),
        "store.retention_days": _("Days that acknowledged records stay on the kiosk"),
        "broker.host": _("Broker: address"),
        "broker.port": _("Broker: port"),
        "broker.keepalive_s": _("Broker: seconds between signs of life"),
    },
    "choice": {
        "zh": _("Chinese"),
        "en": _("English"),
        "none": _("Mandarin"),
        "yue": _("Cantonese"),
    },
    "allowed": {
        SETTINGS["agency.office"].kind.allowed: _(
            "1 to 40 characters, no brackets, no & and no backslash"
        ),
        SETTINGS["agency.phone"].kind.allowed: _("3 to 20 digits, blanks, + and -"),
        SETTINGS["broker.host"].kind.allowed: _("a host name or an IPv4 address"),
    },
    "takes": {
        "live": _("at once, between two residents"),
        "kiosk": _("after the kiosk has started again by itself, between two residents"),
        "link": _("tried first: the connection depends on it"),
    },
    "settings_state": {
        "applied": _("in force"),
        "refused": _("partly refused"),
        "waiting-for-idle": _("waits until nobody is being served"),
        "trial": _("on trial"),
        "rolled-back": _("gone back to what worked before"),
    },
    "settings_reason": {
        "unknown": _("the kiosk does not know this setting"),
        "range": _("outside what is allowed"),
        "choice": _("not one of the choices"),
        "text": _("not a text that is allowed"),
        "together": _("does not fit with the kiosk's site file"),
        "no_start": _("the kiosk did not stay up with it"),
        "no_word": _("the registry could not be heard over the new connection"),
    },
    "sex": {"1": _("Male"), "2": _("Female"), "0": _("Unknown"), "9": _("Not stated")},
    "quarantine": {
        "size": _("Too large"),
        "form": _("Not a message of ours"),
        "sender": _("Sender is not the kiosk it came from"),
        "signature": _("Signature does not match"),
        "recipient": _("Meant for somebody else"),
        "schema": _("Unknown kind of message"),
        "seal": _("Seal cannot be opened"),
        "body": _("Content is incomplete or odd"),
        "moved": _("Content belongs to another envelope"),
        "chain": _("Does not fit into the kiosk's chain"),
        "fork": _("Another record has its place in the kiosk's chain"),
        "other_bytes": _("Same record number, other content"),
        "demo_device_live": _("A demonstration kiosk claimed a real record"),
        "inconsistent": _("Says passed without what a pass needs"),
        "unfileable": _("Could not be filed"),
    },
    "action_word": {
        "sign-in": _("signed in"),
        "sign-in.failed": _("sign-in failed"),
        "sign-in.locked": _("account locked"),
        "sign-out": _("signed out"),
        "people.list": _("looked at a list of people"),
        "tasks.view": _("looked at the tasks"),
        "person.view": _("looked at a person"),
        "person.reveal": _("looked at the full number"),
        "person.find": _("searched for a number"),
        "person.lookup": _("asked for from a kiosk of another place"),
        "person.add": _("added a person"),
        "record.view": _("looked at a record"),
        "rehearsal.view": _("looked at a rehearsal record"),
        "task.view": _("looked at a task"),
        "task.close": _("closed a task"),
        "account.disable": _("disabled an account"),
        "account.enable": _("enabled an account"),
        "account.set": _("set up an account"),
        "device.set": _("set up a kiosk"),
        "settings.set": _("changed a kiosk's settings"),
        "quarantine.refile": _("checked an arrival in quarantine again"),
        "region.set": _("set up a region"),
        "badges.view": _("looked at the badges"),
        "badge.issue": _("issued a badge"),
        "badge.reset": _("gave a badge a new PIN"),
        "badge.revoke": _("revoked a badge"),
        **{f"kiosk.{deed}": words for deed, words in DEEDS.items()},
    },
}
