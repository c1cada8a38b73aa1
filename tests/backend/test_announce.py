"""The announcement in the local network."""

from parkshare_backend.http.announce import SERVICE, service_info

SERVER = "01998b1c-0000-7000-8000-00000000abcd"


def test_a_house_finds_version_server_and_path() -> None:
    info = service_info(server=SERVER, public_url="http://localhost:8732", port=8732, addresses=["192.0.2.7"])
    assert info.type == SERVICE == "_parkshare._tcp.local."
    assert info.port == 8732
    assert info.parsed_addresses() == ["192.0.2.7"]
    assert info.decoded_properties == {"v": "1", "id": SERVER, "path": "/"}


def test_a_public_address_is_told_because_its_certificate_names_it() -> None:
    info = service_info(server=SERVER, public_url="https://park.example.org", port=8732, addresses=["192.0.2.7"])
    assert info.decoded_properties["url"] == "https://park.example.org"
