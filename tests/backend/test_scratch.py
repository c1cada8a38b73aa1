import asyncio, gzip
import pytest, orjson
from aiohttp import FormData
from parkshare_backend.clock import new_id
from tests.backend.market import *
from tests.backend.support import *

async def raw(client, path, body, person=None, **headers):
    h = {"Content-Type": "application/json", **headers} | (person.headers if person else {})
    r = await client.post(path, data=body, headers=h)
    return r.status, (await r.text())[:150]

async def test_probe(client, renter, house):
    async with Link(client, house) as link:
        space = await publish(link)
    for start, end in [("9999-12-31T23:59:59-12:00","9999-12-31T23:59:59-13:00"),("0001-01-01T00:00:00+12:00","2026-11-22T13:00:00Z"),("2026-11-22T12:00:00+23:59","2026-11-22T23:59:60Z"),("٢٠٢٦-11-22T12:00:00Z","2026-11-22T14:00:00Z"),("2026-11-22T24:00:00Z","2026-11-23T02:00:00Z")]:
        b = orjson.dumps(booking_request(space.id) | {"period": {"start": start, "end": end}})
        print(start, end, await raw(client, "/api/v1/bookings", b, renter))
        b = orjson.dumps({"place": place(), "period": {"start": start, "end": end}})
        print("search", await raw(client, "/api/v1/searches", b, renter))
        b = orjson.dumps({"fixes":[place()|{"at":start}]})
        print("fix", await raw(client, "/api/v1/positions", b, renter))
    for acc in ("1e999", "-0.0", "NaN", "1"+"0"*400, "1e308", "true", '"5"'):
        print(acc, await raw(client, "/api/v1/positions", '{"fixes":[{"lat":1,"lon":1,"at":"2026-11-22T12:00:00Z","accuracy_m":%s}]}' % acc, renter))
        print(acc, "limit", await raw(client, "/api/v1/searches", orjson.dumps({"place": place(), "period": period(NOON, NOON+HOUR)})[:-1]+b',"limit":%s}' % acc.encode(), renter))
    print("dup", await raw(client, "/api/v1/searches", orjson.dumps({"place": place(), "period": period(NOON, NOON+HOUR)})[:-1]+b',"limit":1,"limit":2}', renter))
    print("gz bad", await raw(client, "/api/v1/searches", b"not gzip", renter, **{"Content-Encoding":"gzip"}))
    print("gz bomb", await raw(client, "/api/v1/searches", gzip.compress(b" "*50_000_000), renter, **{"Content-Encoding":"gzip"}))
    print("br", await raw(client, "/api/v1/searches", b"not br", renter, **{"Content-Encoding":"br"}))
    print("nul", await raw(client, "/api/v1/tokens", b'{"email":"a\\u0000@b","password":"x\\u0000"}'))
    print("sur", await raw(client, "/api/v1/tokens", b'{"email":"a\\ud800@b","password":"x"}'))
    print("ct", await raw(client, "/api/v1/tokens", b'{}', **{"Content-Type":"application/json; charset=\"x"}))
    for q in ("limit=%ED%A0%80", "limit=1&limit=2", "limit=%D9%A1", "cursor=%00", "limit=1e1", "limit=1_0", "limit= 5", "limit=5.0"):
        r = await client.get("/api/v1/bookings?" + q, headers=renter.headers); print(q, r.status, (await r.text())[:120])
    r = await client.get("/api/v1/bookings", headers={"Authorization": "Bearer pks_\udcff"}); print(r.status)

async def test_probe_page(client):
    r = await client.get("/link"); print(r.status)
    for h, data in [({"Content-Type":"multipart/form-data"}, b"x"), ({"Content-Type":"multipart/form-data; boundary=x"}, b"x"),({"Content-Type":"multipart/form-data; boundary=x"}, b"--x\r\n\r\nabc"),
        ({"Content-Type":"application/x-www-form-urlencoded; charset=foo"}, b"a=b"), ({"Content-Type":"application/x-www-form-urlencoded"}, b"\xff=\xfe"), ({"Content-Type":"application/x-www-form-urlencoded","Origin":"http://["}, b"a=b"),
        ({"Content-Type":"application/x-www-form-urlencoded","Content-Encoding":"gzip"}, b"a=b"),
        ({"Content-Type":"application/x-www-form-urlencoded", "Cookie":"parkshare_browser=\"\\377\""}, b"a=b"),
        ({"Content-Type":"application/x-www-form-urlencoded", "Cookie":"parkshare_browser=\udcff"}, b"a=b"),
        ({"Content-Type":"application/x-www-form-urlencoded"}, b"a"*300_000),
        ({"Content-Type":"multipart/form-data; boundary=x"}, b'--x\r\nContent-Disposition: form-data; name="csrf"; filename="a"\r\n\r\nabc\r\n--x--\r\n'),
        ({"Content-Type":"multipart/form-data; boundary=x"}, b'--x\r\nContent-Disposition: form-data\r\nContent-Transfer-Encoding: foo\r\n\r\nabc\r\n--x--\r\n'),
        ]:
        for p in ("/link/sign-in", "/link/decide"):
            r = await client.post(p, data=data, headers=h); print(h, data[:20], r.status, r.content_type)
    for path in ("/link?user_code=%ED%A0%80", "/link?user_code=%00", "/problems/%2e%2e", "/api/v1/pairings/%FF", "/%FF"):
        r = await client.get(path, headers={"Cookie":"parkshare_link=\udcffx"}); print(path, r.status)
