//! The command line: arguments separated by NUL; after two NULs, the content of every file that an
//! argument names.
//!
//! For every command line, the bytes to be sent are exactly one request: the library and the plain
//! reader read it back, and it contains the given field lines.

use crate::args::config::{Config, Destination, Group, PartData};
use crate::args::parse;
use crate::fetch::request::{self, Hop, RequestContent};
use crate::fetch::url::Url;
use crate::output::sink;
use crate::plan::{FetchPlan, Operation};
use std::path::Path;
use unix_http::wire::{Fields, RequestDecoder, Version, encode_request};

pub fn check(bytes: &[u8]) {
    let at = bytes.windows(2).position(|two| two == b"\0\0").unwrap_or(bytes.len());
    let (line, file) = (&bytes[..at], bytes.get(at + 2..).unwrap_or_default());
    // A file that names itself is read a few times. Limit its length.
    let mut reads = 0;
    let mut read = |name: &[u8]| {
        reads += 1;
        match name {
            b"" => Err(std::io::ErrorKind::NotFound.into()),
            _ if reads > 64 => Err(std::io::ErrorKind::PermissionDenied.into()),
            _ => Ok(file.to_vec()),
        }
    };
    let arguments = line.split(|&b| b == 0);
    let (config, result) = parse::parse(arguments, &mut read);
    if result.is_ok() {
        transfers(config);
    }
    url(line);
}

fn transfers(config: Config) {
    let without_files = |mut group: Group| {
        group.post.iter_mut().for_each(|part| part.data = PartData::Text(Vec::new()));
        Operation::new(group)
    };
    for operation in config.groups.into_iter().flat_map(without_files) {
        for fetch in operation.fetches.iter().flatten() {
            if let Ok(url) = Url::parse(&fetch.url, operation.flags.path_as_is) {
                transfer(&operation.flags, fetch, &url);
            }
        }
    }
}

fn transfer(flags: &Group, fetch: &FetchPlan, url: &Url) {
    if matches!(fetch.destination, Destination::UrlName)
        && let Ok(Some(name)) = sink::file_name(&fetch.destination, Path::new(""), &url.path)
    {
        let name = name.as_os_str().as_encoded_bytes();
        assert!(
            !name.is_empty() && !name.contains(&b'/') && name != b".." && name != b".",
            "{}",
            name.escape_ascii()
        );
    }
    let contents = [
        RequestContent::None,
        RequestContent::Post(3),
        RequestContent::Put(None),
        RequestContent::Put(Some(5)),
    ];
    for content in contents {
        let hop = Hop {
            url: url.clone(),
            content,
            login: flags.user.clone().filter(|_| flags.oauth2_bearer.is_none()),
            referer: flags.referer.clone(),
            ..Hop::default()
        };
        let Ok(plan) = request::plan(flags, &hop, flags.http10 == Some(true)) else { continue };
        let Ok(method) = std::str::from_utf8(&plan.method) else { continue };
        let (mut fields, mut wire) = (Fields::new(), Vec::new());
        if plan.lines.iter().any(|line| fields.push_line(line).is_err()) {
            continue; // an error, nothing is sent
        }
        if encode_request(&mut wire, method, &plan.target, Version::Http11, &fields).is_err() {
            continue;
        }
        let lines = wire.windows(2).filter(|two| two == b"\r\n").count();
        assert_eq!(
            lines,
            plan.lines.len() + 2,
            "a line for each, no more: {}",
            wire.escape_ascii()
        );
        assert_eq!(wire.iter().filter(|&&b| b == b'\n' || b == b'\r').count(), 2 * lines);
        let mut decoder = RequestDecoder::new();
        match decoder.decode(&wire) {
            Ok(Some(len)) => {
                assert_eq!((len, decoder.head().fields()), (wire.len(), &fields))
            }
            // A server may reject the values of --request-target and -X, but they stay in one line.
            Err(error) => assert!(error.offset < wire.len() as u64),
            Ok(None) => assert!(wire.starts_with(b"PRI"), "{}", wire.escape_ascii()),
        }
    }
}

fn url(text: &[u8]) {
    let mut parts = text.splitn(2, |&b| b == b' ');
    let (one, other) = (parts.next().unwrap_or_default(), parts.next());
    for path_as_is in [false, true] {
        let Ok(url) = Url::parse(one, path_as_is) else { continue };
        clean(&url);
        let written = url.to_bytes();
        if !path_as_is {
            let again = Url::parse(&written, true);
            assert_eq!(again.map(|url| url.to_bytes()).as_deref(), Ok(&written[..]));
        }
        if let Some(Ok(target)) = other.map(|location| url.redirect(location)) {
            clean(&target);
        }
    }
}

/// Returns whether the text contains nothing that ends a line or a part of one.
fn clean(url: &Url) {
    let target = url.target();
    assert!(
        target.starts_with(b"/") && target.iter().all(|&b| b > b' ' && b != 0x7f),
        "{}",
        target.escape_ascii()
    );
    let host = url.host_and_port();
    assert!(
        !host.is_empty() && host.iter().all(|&b| b > b' ' && b < 0x7f && b != b'/'),
        "{}",
        host.escape_ascii()
    );
}
