"""Excerpts, made up, in the layouts that publishers have are read by their presets."""

import json
from pathlib import Path
from typing import Any

import pytest

from analytics.ingest.presets import PRESETS
from tests.scoring.events.odd_files import bring, column, moments

pytestmark = [
    pytest.mark.django_db(databases=["default", "clickhouse"]),
    pytest.mark.usefixtures("no_events"),
]
QUAKE = {
    "type": "Feature",
    "properties": {"mag": 4.6, "place": "A", "time": 1714990123456, "type": "quake"},
    "geometry": {"type": "Point", "coordinates": [142.31, 38.12, 41.2]},
    "id": "xx1",
}
# The file, then of each event: id, time, type, severity, amount.
Expected = list[tuple[str | None, str, str, float | None, float | None]]
EXCERPTS: dict[str, tuple[str, Expected]] = {
    "usgs": (
        json.dumps({"type": "FeatureCollection", "features": [QUAKE]}),
        [("xx1", "2024-05-06T10:08:43.456", "quake", 4.6, None)],
    ),
    "comcat": (
        (
            "time,latitude,longitude,depth,mag,magType,nst,gap,dmin,rms,net,id,updated,"
            "place,type\n2026-11-01T00:00:00.100Z,38.1,142.1,10,4.5,mb,,,,,us,us1,"
            '2026-11-02T00:00:00.000Z,"1 km N of A, B",earthquake\n'
        ),
        [("us1", "2026-11-01T00:00:00.100", "earthquake", 4.5, None)],
    ),
    "noaa-storm-events": (
        (
            "EVENT_ID,STATE,EVENT_TYPE,BEGIN_DATE_TIME,CZ_TIMEZONE,DAMAGE_PROPERTY,"
            "MAGNITUDE,BEGIN_LAT,BEGIN_LON\n"
            "10096222,OKLAHOMA,Tornado,28-APR-50 14:45:00,CST,250K,0,35.12,-99.2\n"
            "10096223,TEXAS,Hail,01-JUL-22 00:05:00,CST-6,1.5M,1.75,31.9,-98.6\n"
        ),
        [
            ("10096222", "1950-04-28T20:45:00.000", "Tornado", 0.0, 250_000.0),
            ("10096223", "2022-07-01T06:05:00.000", "Hail", 1.75, 1_500_000.0),
        ],
    ),
    "ibtracs": (
        (
            "SID,SEASON,BASIN,NAME,ISO_TIME,NATURE,LAT,LON,WMO_WIND,WMO_PRES\n"
            " ,Year, , , , ,degrees_north,degrees_east,kts,mb\n"
            "S1,2016,NA,ZZ,2016-02-24 00:00:00,TS,-14.8,201.7, , \n"
            "S1,2016,NA,ZZ,2016-02-24 06:00:00,TS,-15.1,-158,45,-999\n"
        ),
        [
            ("S1 2016-02-24 00:00:00", "2016-02-24T00:00:00.000", "TS", None, None),
            ("S1 2016-02-24 06:00:00", "2016-02-24T06:00:00.000", "TS", 45.0, None),
        ],
    ),
    "chicago-crime": (
        (
            "ID,Case Number,Date,Block,IUCR,Primary Type,Description,Latitude,"
            "Longitude,Location\n"
            '1,Z1,01/05/2023 11:30:00 PM,B,08,THEFT,O,41.8,-87.6,"(41, -87)"\n'
        ),
        [("1", "2023-01-06T05:30:00.000", "THEFT", None, None)],
    ),
    "uk-police": (
        (
            "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,"
            "LSOA code,LSOA name,Crime type,Last outcome category,Context\n"
            "abc,2023-07,P,P,-0.1,51.5,On A,E01,L,Burglary,Unknown,\n"
            ",2023-07,P,P,-0.1,51.5,On A,E01,L,Anti-social behaviour,,\n"
        ),
        [
            (None, "2023-06-30T23:00:00.000", "Anti-social behaviour", None, None),
            ("abc", "2023-06-30T23:00:00.000", "Burglary", None, None),
        ],
    ),
    "nyc-collisions": (
        (
            "CRASH DATE,CRASH TIME,BOROUGH,LATITUDE,LONGITUDE,"
            "NUMBER OF PERSONS INJURED,NUMBER OF PERSONS KILLED,COLLISION_ID\n"
            "09/11/2021,2:39,QUEENS,40.7,-73.9,2,0,4455765\n"
            "09/11/2021,2:39,QUEENS,0,0,2,0,4455766\n"
        ),
        [("4455765", "2021-09-11T06:39:00.000", "event", 2.0, None)],
    ),
    "fars": (
        (
            "STATE,ST_CASE,YEAR,MONTH,DAY,HOUR,MINUTE,LATITUDE,LONGITUD,FATALS\n"
            "1,10001,2021,2,12,22,10,33.49,-88.12,1\n"
            "1,10002,2021,2,12,99,99,33.49,-88.12,1\n"
            "1,10003,2021,2,12,1,5,77.7777,777.7777,1\n"
        ),
        [("2021 10001", "2021-02-12T22:10:00.000", "event", 1.0, None)],
    ),
    "ucdp": (
        (
            "id,relid,year,type_of_violence,conflict_name,where_prec,latitude,"
            "longitude,country,date_start,date_end,best\n"
            "5,R,2017,1,C,1,34.5,69.1,A,2017-12-31 00:00:00.000,2017-12-31,7\n"
        ),
        [("5", "2017-12-31T00:00:00.000", "1", 7.0, None)],
    ),
    "acled": (
        (
            "event_id_cnty,event_date,year,event_type,sub_event_type,country,latitude,"
            "longitude,geo_precision,fatalities\n"
            "A1,01 January 2023,2023,Battles,Clash,A,34.5,69.1,1,3\n"
            "A2,2023-01-02,2023,Riots,Mob,A,34.5,69.1,1,0\n"
            "A3,03-01-2023,2023,Riots,Mob,A,34.5,69.1,1,0\n"
        ),
        [
            ("A1", "2023-01-01T00:00:00.000", "Battles", 3.0, None),
            ("A2", "2023-01-02T00:00:00.000", "Riots", 0.0, None),
            ("A3", "2023-01-03T00:00:00.000", "Riots", 0.0, None),
        ],
    ),
    "firms": (
        (
            "latitude,longitude,bright_ti4,scan,track,acq_date,acq_time,satellite,"
            "confidence,version,bright_ti5,frp,daynight\n"
            "-12.1,30.2,330,0.4,0.4,2023-08-01,41,N,n,2,290,4.5,N\n"
        ),
        [(None, "2023-08-01T00:41:00.000", "fire", 4.5, None)],
    ),
}


def test_capitals_may_differ(tmp_path: Path) -> None:
    text, expected = EXCERPTS["fars"]
    header, rows = text.split("\n", 1)
    older = header.replace("LATITUDE,LONGITUD", "latitude,longitud")

    bring(tmp_path / "accident.csv", f"{older}\n{rows}", "--preset", "fars")

    assert column("external_id") == [expected[0][0]]


def test_every_preset_has_an_excerpt_or_a_round_trip() -> None:
    assert set(PRESETS) == {*EXCERPTS, "riskplatform"}


@pytest.mark.parametrize("name", EXCERPTS)
def test_an_excerpt_is_read(tmp_path: Path, name: str) -> None:
    text, expected = EXCERPTS[name]

    report = bring(tmp_path / "excerpt", text, "--preset", name)

    assert report["source"] == name
    fields = ("external_id", "event_type", "severity", "amount")
    found: list[Any] = [
        (key, moment, *rest)
        for (key, *rest), moment in zip(column(*fields), moments(), strict=True)
    ]
    named = [(None if len(key) == 32 else key, *rest) for key, *rest in found]
    assert named == expected
