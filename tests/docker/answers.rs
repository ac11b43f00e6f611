//! Success and failure of an engine's response, and one error type for all layers.

use crate::support::serve::{Served, serve};
use std::io::{self, BufRead, Write};
use unix_http::docker::{self, Demux, DockerError, ErrorScanner, FrameError};
use unix_http::json::Value;
use unix_http::server::{Request, Responder, Sent};
use unix_http::{Client, Error};

/// An engine with one service, and one path for each kind of response.
fn engine(request: &mut Request<'_>, responder: Responder<'_>) -> io::Result<Sent> {
    let json = |responder: Responder<'_>, text: &str| {
        responder.field("Content-Type", "application/json").send(text)
    };
    let target = String::from_utf8_lossy(request.target()).into_owned();
    match target.as_str() {
        "/services/web" => json(responder, SERVICE),
        "/services/web/update?version=17" => {
            let spec = String::from_utf8_lossy(&request.bytes(1000)?).into_owned();
            let as_wanted = spec == SCALED;
            if as_wanted {
                json(responder, "{\"Warnings\":null}")
            } else {
                responder.status(400).send(spec)
            }
        }
        "/404" => json(responder.status(404), r#"{"message":"no such service: web"}"#),
        "/409" => json(
            responder.status(409),
            r#"{"cause":"it runs","message":"cannot remove","response":409}"#,
        ),
        "/503" => responder.status(503).send(""),
        "/304" => responder.status(304).send(""),
        "/not-json" => json(responder, "{\"a\":"),
        "/cut" => {
            let mut body = responder.stream()?;
            body.write_all(b"{\"a\":")?;
            body.flush()?;
            Err(io::Error::other("gave up"))
        }
        "/frames" => responder.send(b"\x01\0\0\0\0\0\0\x02hi\x09"),
        "/failed-stream" => responder.send("{\"error\":\"no space\"}"),
        target => responder.send(target),
    }
}

const SERVICE: &str = r#"{"ID":"x1","Version":{"Index":17},"Spec":{"Name":"web","Labels":{},
    "TaskTemplate":{"Resources":{"Limits":{"NanoCPUs":18446744073709551615}}},
    "Mode":{"Replicated":{"Replicas":1}}}}"#;
const SCALED: &str = concat!(
    r#"{"Name":"web","Labels":{"owner":"me \"1\""},"TaskTemplate":{"Resources":{"Limits":"#,
    r#"{"NanoCPUs":18446744073709551615}}},"Mode":{"Replicated":{"Replicas":3}}}"#
);

fn started() -> (Served, Client) {
    let server = serve(engine);
    let client = server.client();
    (server, client)
}

#[test]
fn a_service_can_be_read_changed_and_written_back() -> Result<(), DockerError> {
    let (_server, client) = started();
    let mut service = docker::ok(client.get("/services/web").send()?)?.json()?;
    let version = service.pointer("/Version/Index").and_then(Value::as_u64).unwrap().to_string();
    let spec = service.pointer_mut("/Spec").unwrap();
    *spec.pointer_mut("/Mode/Replicated/Replicas").unwrap() = 3.into();
    spec.pointer_mut("/Labels").unwrap().set("owner", "me \"1\"");
    let update = client.post("/services/web/update").query("version", version);
    drop(docker::ok(update.json(spec.to_string()).send()?)?);
    Ok(())
}

#[test]
fn an_error_response_becomes_an_error_with_its_message() {
    let (_server, client) = started();
    for (target, want) in [
        ("/404", Err((404, "no such service: web"))),
        ("/409", Err((409, "cannot remove: it runs"))),
        ("/503", Err((503, "503 Service Unavailable"))),
        ("/304", Ok(304)),
        ("/anything", Ok(200)),
    ] {
        let answer = docker::ok(client.get(target).send().unwrap());
        match (&answer, want) {
            (Ok(response), Ok(status)) => assert_eq!(response.status(), status),
            (Err(error), Err((status, text))) => {
                assert_eq!((error.status(), error.to_string()), (Some(status), text.to_owned()));
            }
            _ => panic!("{target}: {answer:?}"),
        }
    }
}

/// Uses `?` on the errors of every layer.
fn all_layers(client: &Client, target: &str) -> Result<Value, DockerError> {
    let response = docker::ok(client.get(target).send()?)?;
    match target {
        "/frames" => {
            Demux::new(response).copy_to(&mut io::sink(), &mut io::sink())?;
        }
        "/failed-stream" => {
            let mut scanner = ErrorScanner::new();
            for line in response.lines() {
                scanner.feed(line?.as_bytes());
            }
            scanner.finish()?.map_or(Ok(()), Err)?;
        }
        _ => return response.json(),
    }
    Ok(Value::Null)
}

#[test]
fn one_error_type_holds_the_errors_of_every_layer() {
    let (_server, client) = started();
    let of = |target| all_layers(&client, target).unwrap_err();
    let error = of("/not-json");
    assert!(matches!(&error, DockerError::Json(e) if e.is_incomplete()));
    assert!(matches!(of("/cut"), DockerError::Exchange(Error::Incomplete(_))));
    let error = of("/frames");
    assert!(matches!(error, DockerError::Frame(FrameError::NotAFrame { found: 9, .. })), "{error}");
    assert_eq!(of("/failed-stream").to_string(), "no space");
    let nowhere = Client::unix("/nowhere/s");
    let error = all_layers(&nowhere, "/").unwrap_err();
    assert!(matches!(error, DockerError::Exchange(Error::Connect(_))), "{error}");
    assert!(std::error::Error::source(&error).is_some());

    // An error that the reader of a body wrapped is unwrapped. Other I/O errors are unchanged.
    let error = DockerError::from(io::Error::from(Error::IncompleteHead { received: 0 }));
    assert!(
        matches!(error, DockerError::Exchange(Error::IncompleteHead { received: 0 })),
        "{error}"
    );
    let error = DockerError::from(io::Error::other("the disk is full"));
    assert_eq!((error.to_string(), error.status()), ("the disk is full".into(), None));
}

#[test]
fn a_query_is_encoded() {
    let (_server, client) = started();
    let filters = r#"{"label":["a=b c"]}"#;
    let request = client.get("/events").query("filters", filters).query("since", "1");
    let want = "/events?filters=%7B%22label%22%3A%5B%22a%3Db%20c%22%5D%7D&since=1";
    assert_eq!(request.send().unwrap().text().unwrap(), want);
    let request = client.get("/events?a").query("b&c=", b"\xff\r\n");
    assert_eq!(request.send().unwrap().text().unwrap(), "/events?a&b%26c%3D=%FF%0D%0A");
}
