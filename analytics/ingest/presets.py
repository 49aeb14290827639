"""Layouts of files that many people download: the map and the options, by name."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from analytics.errors import UnknownPresetError
from analytics.ingest.column_map import ColumnMap, parts_of
from analytics.ingest.files import FileFormat

CSV = FileFormat.CSV
ENOUGH_COLUMNS = 0.75
# Codes of FARS for a place that is not known.
FARS_UNKNOWN = (
    *("77.7777", "77.7777000", "88.8888", "88.8888000", "99.9999", "99.9999000"),
    *("777.7777", "777.7777000", "888.8888", "888.8888000", "999.9999", "999.9999000"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """How files of one publisher are read; what is typed comes before it.

    `times_in` is the zone of the times, where all files have the same; a format that is
    not said is told by the name of the file.
    """

    title: str
    where: str
    column_map: str
    file_format: FileFormat | None = CSV
    times_in: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


PRESETS: Mapping[str, Preset] = {
    "usgs": Preset(
        title="USGS earthquake feeds, GeoJSON",
        where="https://earthquake.usgs.gov/earthquakes/feed/v1.0/geojson.php",
        file_format=FileFormat.GEOJSON,
        column_map="occurred_at=time,lat=@lat,lon=@lon,severity=mag,event_type=type,"
        "external_id=@id,attributes.place=place,attributes.magtype=magType",
        times_in="UTC",
        options={"time_format": "epoch_ms"},
    ),
    "comcat": Preset(
        title="ANSS ComCat, the USGS catalogue, CSV",
        where="https://earthquake.usgs.gov/earthquakes/search/",
        column_map="occurred_at=time,lat=latitude,lon=longitude,severity=mag,"
        "event_type=type,external_id=id,attributes.place=place,"
        "attributes.depth_km=depth,attributes.magtype=magType",
        times_in="UTC",
    ),
    "noaa-storm-events": Preset(
        title="NOAA Storm Events Database, details",
        where="https://www.ncei.noaa.gov/pub/data/swdi/stormevents/csvfiles/",
        column_map="occurred_at=BEGIN_DATE_TIME+CZ_TIMEZONE,lat=BEGIN_LAT,"
        "lon=BEGIN_LON,event_type=EVENT_TYPE,severity=MAGNITUDE,"
        "amount=DAMAGE_PROPERTY,external_id=EVENT_ID,attributes.state=STATE",
        times_in="UTC",
        options={"time_format": "%d-%b-%y %H:%M:%S %Z"},
    ),
    "ibtracs": Preset(
        title="IBTrACS tropical cyclones, CSV",
        where="https://www.ncei.noaa.gov/products/international-best-track-archive",
        # A storm has a row for each of its fixes, so its SID alone is no id.
        column_map="occurred_at=ISO_TIME,lat=LAT,lon=LON,severity=WMO_WIND,"
        "event_type=NATURE,external_id=SID+ISO_TIME,attributes.storm=SID,"
        "attributes.name=NAME,attributes.basin=BASIN,attributes.pressure_mb=WMO_PRES",
        times_in="UTC",
        options={"nulls": ("-999",)},
    ),
    "chicago-crime": Preset(
        title="Chicago crimes, 2001 to present, CSV",
        where="https://data.cityofchicago.org/d/ijzp-q8t2",
        column_map="occurred_at=Date,lat=Latitude,lon=Longitude,"
        "event_type=Primary Type,external_id=ID,attributes.case=Case Number,"
        "attributes.description=Description,attributes.iucr=IUCR",
        times_in="America/Chicago",
        options={"time_format": "%m/%d/%Y %I:%M:%S %p|iso"},
    ),
    "uk-police": Preset(
        title="Street-level crime of England, Wales and Northern Ireland",
        where="https://data.police.uk/data/",
        # Anti-social behaviour has no id; months are all that is published of times.
        column_map="occurred_at=Month,lat=Latitude,lon=Longitude,"
        "event_type=Crime type,external_id=Crime ID,attributes.lsoa=LSOA code,"
        "attributes.outcome=Last outcome category",
        times_in="Europe/London",
        options={"time_format": "%Y-%m"},
    ),
    "nyc-collisions": Preset(
        title="New York motor vehicle collisions, crashes, CSV",
        where="https://data.cityofnewyork.us/d/h9gi-nx95",
        column_map="occurred_at=CRASH DATE+CRASH TIME,lat=LATITUDE,lon=LONGITUDE,"
        "severity=NUMBER OF PERSONS INJURED,external_id=COLLISION_ID,"
        "attributes.borough=BOROUGH,attributes.killed=NUMBER OF PERSONS KILLED",
        times_in="America/New_York",
        options={"time_format": "%m/%d/%Y %H:%M"},
    ),
    "fars": Preset(
        title="Fatality Analysis Reporting System, ACCIDENT.CSV",
        where="https://www.nhtsa.gov/file-downloads?p=nhtsa/downloads/FARS/",
        # Cases are numbered from 1 each year.
        column_map="occurred_at=YEAR+MONTH+DAY+HOUR+MINUTE,lat=LATITUDE,lon=LONGITUD,"
        "severity=FATALS,external_id=YEAR+ST_CASE,attributes.state=STATE",
        options={"time_format": "%Y %m %d %H %M", "nulls": FARS_UNKNOWN},
    ),
    "ucdp": Preset(
        title="UCDP Georeferenced Event Dataset, CSV",
        where="https://ucdp.uu.se/downloads/",
        column_map="occurred_at=date_start,lat=latitude,lon=longitude,severity=best,"
        "event_type=type_of_violence,external_id=id,attributes.country=country,"
        "attributes.conflict=conflict_name,attributes.where_prec=where_prec",
        times_in="UTC",
    ),
    "acled": Preset(
        title="ACLED, CSV",
        where="https://acleddata.com/conflict-data/download-data-files",
        column_map="occurred_at=event_date,lat=latitude,lon=longitude,"
        "severity=fatalities,event_type=event_type,external_id=event_id_cnty,"
        "attributes.country=country,attributes.sub_event_type=sub_event_type,"
        "attributes.geo_precision=geo_precision",
        times_in="UTC",
        options={"time_format": "%d %B %Y|iso|%d-%m-%Y|%d/%m/%Y"},
    ),
    "firms": Preset(
        title="NASA FIRMS active fires, CSV",
        where="https://firms.modaps.eosdis.nasa.gov/download/",
        column_map="occurred_at=acq_date+acq_time,lat=latitude,lon=longitude,"
        "severity=frp,event_type:fire,attributes.satellite=satellite,"
        "attributes.confidence=confidence",
        times_in="UTC",
        options={"time_format": "%Y-%m-%d %H%M|%Y-%m-%d %H:%M"},
    ),
    "riskplatform": Preset(
        title="An export of this platform, CSV or Parquet",
        where="GET /api/v1/events/export",
        file_format=None,
        column_map="occurred_at=occurred_at,lat=lat,lon=lon,event_type=event_type,"
        "severity=severity,amount=amount,external_id=external_id,"
        "attributes=attributes",
        times_in="UTC",
        options={"allow_null_island": True},
    ),
}


def get_preset(name: str) -> Preset:
    try:
        return PRESETS[name]
    except KeyError:
        raise UnknownPresetError(
            f"There is no preset {name!r}. There are {', '.join(PRESETS)}.", preset=name
        ) from None


def find_preset(names: Collection[str], *, file_format: FileFormat) -> str | None:
    """Give the preset whose columns a file has: all but one in four of them."""
    found: dict[str, float] = {}
    folded = {name.casefold() for name in names}
    for name, preset in PRESETS.items():
        column_map = ColumnMap.parse(preset.column_map)
        mapped = {
            part.casefold()
            for it in column_map.columns.values()
            for part in parts_of(it)
        }
        share = len(mapped & folded) / len(mapped)
        if preset.file_format in {None, file_format} and share > ENOUGH_COLUMNS:
            found[name] = share
    return max(found, key=found.__getitem__, default=None)
