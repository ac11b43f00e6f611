//! The seeds of the fuzzer: the cases of the conformance tables, bytes of real engines, and a few
//! texts in each of the other grammars. `directory` is the directory of this file.

use crate::cases::deliver::Table;
use crate::cases::{chunked, fields, request_framing, request_line, response_framing, status_line};
use std::path::Path;
use std::{fs, io};

/// Returns the target, number and bytes of each seed.
pub fn seeds(directory: &Path) -> io::Result<Vec<(&'static str, usize, Vec<u8>)>> {
    let mut seeds: Vec<(&str, Vec<u8>)> = Vec::new();
    let cases = |tables: &'static [Table]| {
        tables.iter().flat_map(|table| table.cases).map(|case| case.bytes())
    };
    for wire in cases(status_line::TABLES).chain(cases(response_framing::TABLES)) {
        seeds.extend([("heads", wire.clone()), ("connection", wire)]);
    }
    for wire in cases(request_line::TABLES).chain(cases(request_framing::TABLES)) {
        seeds.extend([("heads", wire.clone()), ("smuggling", wire.clone()), ("tap", wire)]);
    }
    for lines in cases(fields::TABLES) {
        seeds.push(("heads", [b"HTTP/1.1 200 OK\r\n", &lines[..]].concat()));
        seeds.push(("heads", [b"GET / HTTP/1.1\r\n", &lines[..]].concat()));
    }
    for body in cases(chunked::TABLES) {
        let head = b"\r\nTransfer-Encoding: chunked\r\n\r\n";
        seeds.push(("connection", [b"HTTP/1.1 200 OK", &head[..], &body].concat()));
        seeds.push((
            "smuggling",
            [b"POST / HTTP/1.1\r\nHost: localhost", &head[..], &body].concat(),
        ));
        seeds.push(("chunked", body));
    }
    for (request, response) in conversations(&directory.join("../recorded"))? {
        let body = response.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
        seeds.push(("json", response[body..].to_vec()));
        if response[body..].first().is_some_and(|&kind| kind < 3) {
            seeds.push(("frames", response[body..].to_vec()));
        }
        seeds.push(("connection", response.clone()));
        seeds.push(("smuggling", request.clone()));
        let both = [&request[..], b"\n====\n", &response].concat();
        let (sent, received) = (request.len(), response.len());
        let index = format!(
            "started 1.000000000\nsecrets shown\n0.000000000 1 client {sent}\n0.5 1 server {received}"
        );
        seeds.push((
            "recordings",
            [index.replace("0.5 ", "0.500000000 ").as_bytes(), b"\n====\n", &both].concat(),
        ));
        seeds.extend([("recordings", both.clone()), ("tap", both)]);
    }
    // Texts in the grammars of the other targets.
    for text in [
        "unix:///var/run/docker.sock",
        "unix://@name",
        "tcp://[::1]:2375/p/../q",
        "ssh://me@host:22/run/docker.sock",
        "tcp://h:1\nremote\n1\n/certs\n{\"Name\":\"remote\",\"currentContext\":\"remote\",\"Endpoints\":{\"docker\":{\"Host\":\"ssh://h\"}}}",
        "1.41",
    ] {
        seeds.push(("endpoint", text.into()));
    }
    for line in [
        "-sSfo\0out\0--unix-socket\0/s\0http://localhost/info",
        "-XPOST\0-H\0Content-Type: application/json\0-d\0@file\0/containers/create\0\0{\"Image\":\"busy\"}",
        "-K\0file\0\0url = \"http://d/x\"\nheader = \"A: b\"\nuser-agent: \"\\r\\nX: y\"\n",
        "-H\0@file\0-u\0me:pw\0-b\0a=b\0-r\x000-9\0-e\0x;auto\0-A\0\0/\0\0A: b\r\nC;\n",
        "-T\0-\0-I\0--json\0{}\0--request-target\0*\0-O\0--next\0--url-query\0a=@b\0http://u:p@h:1/a/../b?c#d",
        "http://d/a/b?c ../../e?f g#h",
        "http://d/a //e:80/%zz",
    ] {
        seeds.push(("flags", line.into()));
    }
    for frames in
        [&b"\x01\0\0\0\0\0\0\x04out\n\x02\0\0\0\0\0\0\x04err\n"[..], b"\x03\0\0\0\0\0\0\x05oh no"]
    {
        seeds.push(("frames", frames.to_vec()));
    }
    for text in [
        r#"{"a/b":[1,-0.5e+7,{"":null}],"a":"\ud834\udd1e\u00e9\\","Config":{"Tty":true}}"#,
        "{\"stream\":\"x\"}\r\n{\"errorDetail\":{\"code\":1,\"message\":\"no\"},\"error\":\"no\"}\r\n",
        "[[[[]]]] \"€\" 12 -0",
    ] {
        seeds.push(("json", text.into()));
    }
    for request in [
        "GET /v1.41/containers/json?all=1&size=0 HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /containers/a/start HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        r#"{"Image":"busy","Cmd":["a"],"Labels":{"a":"b"},"HostConfig":{"Binds":["/srv/a:/x"]}}"#,
        r#"{"\u0049mage":"busy:1","HostConfig":{"Privileged":false,"MaskedPaths":null}}"#,
        r#"{"HostConfig":{"NetworkMode":"none","LogConfig":{"Type":"","Config":{}}},"Volumes":{}}"#,
        r#"{"Ho\u017ftConfig":{"Privileged":true},"\u212a":-1,"ExposedPorts":{"1/tcp":{}}}"#,
    ] {
        seeds.push(("guard", request.into()));
    }
    let entry = r#"{"startedDateTime":"2024-12-31T23:59:59.5+01:30","request":{"method":"POST","url":"http://d/a?b","postData":{"text":"eA==","_encoding":"base64"}},"response":{"status":200,"httpVersion":"HTTP/1.1","statusText":"OK","headers":[{"name":"Transfer-Encoding","value":"chunked"}],"content":{"size":2,"text":"hi"}},"timings":{"send":0.5,"wait":1,"receive":2}}"#;
    seeds.push(("recordings", format!(r#"{{"log":{{"entries":[{entry},{entry}]}}}}"#).into()));
    Ok(seeds
        .into_iter()
        .enumerate()
        .map(|(number, (target, seed))| (target, number, seed))
        .collect())
}

/// Returns both sides of each short recorded connection.
fn conversations(directory: &Path) -> io::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut names: Vec<_> =
        fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    names.sort();
    let requests = names.iter().filter(|name| name.extension().is_some_and(|end| end == "request"));
    let mut all = Vec::new();
    for request in requests {
        let (sent, received) = (fs::read(request)?, fs::read(request.with_extension("response"))?);
        if sent.len() + received.len() < 8192 {
            all.push((sent, received));
        }
    }
    Ok(all)
}
