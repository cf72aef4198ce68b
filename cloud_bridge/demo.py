"""Invented people for a demonstration; region code 100000 belongs to nobody.

`DEMO_NAME` and `DEMO_NUMBER` are what the demonstration's simulated card says.
Nothing here touches the database: `registry.demo_data` does.
"""

from __future__ import annotations

from datetime import date

from cloud_bridge.registry import id_number

NUMBER_REGION = "100000"

DEMO_NAME = "王建华"
DEMO_BIRTH = date(1945, 8, 15)
DEMO_NUMBER = id_number.make(NUMBER_REGION, DEMO_BIRTH, 1)

REGIONS = (
    ("100000000000", "示例省"),
    ("100100000000", "示例市"),
    ("100101000000", "示例区"),
    ("100101001000", "东风街道"),
    ("100101001001", "东风社区"),
    ("100101001002", "向阳社区"),
    ("100101002000", "青石镇"),
    ("100101002201", "青石村"),
    ("100102000000", "临水县"),
    ("100102001000", "临水镇"),
    ("100102001201", "柳林村"),
)
SITE_REGION = "100101000000"

PEOPLE = (
    # name, day of birth, serial (odd = male), category, covered, community, household
    (DEMO_NAME, DEMO_BIRTH, 1, "retired", True, "100101001001", "示例-001"),
    ("张建国", date(1943, 2, 11), 3, "retired", True, "100101001001", ""),
    ("李秀英", date(1938, 11, 3), 2, "retired", True, "100101001001", "示例-002"),
    ("陈桂兰", date(1951, 5, 20), 4, "dibao", True, "100101001002", ""),
    ("刘德明", date(1947, 9, 9), 5, "dibao", True, "100101001002", "示例-003"),
    ("刘玉珍", date(1949, 1, 28), 6, "dibao", True, "100101001002", "示例-003"),
    ("赵福生", date(1935, 12, 30), 7, "tekun", True, "100101002201", ""),
    ("孙淑芬", date(1956, 7, 7), 8, "tekun", True, "100101002201", ""),
    ("周志强", date(1953, 3, 16), 9, "dibian", True, "100101002201", ""),
    ("吴美华", date(1960, 10, 2), 10, "dibian", False, "100101001001", ""),
    ("欧阳长河", date(1941, 6, 18), 11, "retired", True, "100102001201", ""),
    ("马翠花", date(1944, 4, 25), 12, "dibao", True, "100102001201", ""),
)

BADGE = ("维护员", "technician", "100000000000")
"""Name, role and region of the demonstration's badge for kiosks; number and PIN are made anew."""

ACCOUNTS = (
    # name, role, region; the worker sees one street only
    ("demo-worker", "worker", "100101001000"),
    ("demo-supervisor", "supervisor", "100101001000"),
    ("demo-county", "county", "100101000000"),
    ("demo-auditor", "auditor", "000000000000"),
    ("demo-operator", "operator", "000000000000"),
)
