"""Which entries of a member of staff somebody else looks at again: one in every twenty.

Of each twenty entries of one account exactly one is drawn, each with the same chance, so nobody
is spared by luck and nobody can tell which. Nothing is drawn ahead: at each entry the chance is
one in however many are left of its twenty, and none once one of them was drawn.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from cloud_bridge.registry.models import Account, Proof, Recheck

ONE_IN = 20


def is_drawn(before: int, drawn: bool, below: Callable[[int], int] = secrets.randbelow) -> bool:
    """`before`: how many of its twenty came before this entry; `drawn`: one of them was."""
    return not drawn and below(ONE_IN - before) == 0


@transaction.atomic
def draw(proof: Proof, account: Account, now: datetime) -> bool:
    """Part of the transaction that saves the entry; whether it is to be looked at again."""
    Account.objects.select_for_update().get(pk=account.pk)  # two at once are counted one by one
    entries = Proof.objects.filter(by=account.username).exclude(pk=proof.pk)
    before = entries.count() % ONE_IN
    recent = list(entries.order_by("-pk").values_list("pk", flat=True)[:before])
    drawn = Recheck.objects.filter(kind=Recheck.Kind.ENTRY, proof__in=recent).exists()
    if not is_drawn(before, drawn):
        return False
    Recheck.objects.create(
        kind=Recheck.Kind.ENTRY,
        record_id=str(uuid.uuid4()),
        simulated=False,
        person=proof.person,
        proof=proof,
        region_id=proof.person.region_id,
        created_at=now,
    )
    return True
