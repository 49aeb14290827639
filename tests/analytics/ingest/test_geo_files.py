"""GDAL opens the formats that we take, and follows none to other files or addresses."""

import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from analytics.errors import EventFileError
from analytics.ingest import geo_files
from analytics.ingest.geo_files import DRIVERS, VIRTUAL, GeoFile

pyogrio = pytest.importorskip("pyogrio", reason="needs the extra geo")
KML = """<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark>
<name>a</name><Point><coordinates>2,1</coordinates></Point></Placemark></Document></kml>"""
VRT = (
    '<OGRVRTDataSource><OGRVRTLayer name="secret">'
    "<SrcDataSource>{secret}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
)
GML = """<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs"
 xmlns:gml="http://www.opengis.net/gml" xmlns:a="http://a/"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://a/
 {address}/wfs?SERVICE=WFS&amp;VERSION=1.1.0&amp;REQUEST=DescribeFeatureType&amp;TYPENAME=a">
<gml:featureMember><a:a><a:t>x</a:t></a:a></gml:featureMember></wfs:FeatureCollection>"""


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.kml"
    path.write_text(KML, encoding="utf-8")
    return path


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """Give the paths that a server on loopback was asked for, its address first."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        paths.append(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield paths
        server.shutdown()
        thread.join()


def refusal(path: Path) -> str:
    with pytest.raises(EventFileError) as raised:
        GeoFile(path)
    return raised.value.message


def test_only_documented_drivers_are_left(secret: Path) -> None:
    with GeoFile(secret) as file:
        assert file.info["features"] == 1
    assert pyogrio.list_drivers().keys() <= DRIVERS | {VIRTUAL}


@pytest.mark.parametrize("padding", [0, 3_000, 200_000])
def test_a_virtual_file_is_refused_wherever_it_begins(
    padding: int, tmp_path: Path, secret: Path
) -> None:
    path = tmp_path / "e.kml"
    path.write_text(" " * padding + VRT.format(secret=secret), encoding="utf-8")

    assert "is a virtual file of GDAL" in refusal(path)


def test_an_archive_hides_no_virtual_file(tmp_path: Path, secret: Path) -> None:
    path = tmp_path / "e.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.shp", VRT.format(secret=secret))
        archive.writestr("../../b.vrt", VRT.format(secret=secret))

    assert "has no layer that can be read" in refusal(path)
    assert sorted(tmp_path.iterdir()) == [path, secret]


@pytest.mark.parametrize("content", ["time,lat,lon\na,1,2\n", '{"features": []}', ""])
def test_a_format_of_another_reader_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "e.gpkg"
    path.write_text(content, encoding="utf-8")

    assert "e.gpkg cannot be read" in refusal(path)


def test_a_damaged_archive_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "e.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.shp", "x" * 100)
    content = path.read_bytes()
    # The version that is needed to unpack it, in the list at the end.
    at = content.index(b"PK\x01\x02") + 6
    path.write_bytes(content[:at] + b"\xff\xff" + content[at + 2 :])

    assert "is a damaged ZIP archive" in refusal(path)


def test_the_schema_of_a_file_is_not_fetched(tmp_path: Path, asked: list[str]) -> None:
    path = tmp_path / "e.gml"
    path.write_text(GML.format(address=asked[0]), encoding="utf-8")

    with GeoFile(path) as file:
        assert file.info["driver"] == "GML"

    assert len(asked) == 1


def test_what_would_fill_the_memory_is_refused(
    tmp_path: Path, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(geo_files, "MAX_WHOLE_BYTES", 50)
    packed = tmp_path / "e.kmz"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("doc.kml", KML + " " * 10_000)

    assert f"has {len(KML):,} bytes, unpacked; at most 50" in refusal(secret)
    assert f"has {len(KML) + 10_000:,} bytes" in refusal(packed)
