//! What a guard lets pass: rules as they are read, requests as they are checked.

use unix_http::tap::guard::AllowList;
use unix_http::wire::{BodyDecoder, RequestDecoder, framing};

/// A rule file with one rule of each kind.
pub const RULES: &str = "
GET /_ping
HEAD /_ping
GET /containers/json ?all=1 ?filters={\"label\":{\"app=*\":true}} ?limit=*
GET /images/**
POST /containers/create ?name=web-* /Image=nginx:* /Cmd/*=* /Env/*=* /Labels/app=* \
/HostConfig/NetworkMode=none /HostConfig/Binds/*=/srv/data:/data:ro \
/HostConfig/Binds/*=/srv/www/*:/www \
/HostConfig/PortBindings/80~1tcp/*/HostPort=80* /ExposedPorts/80~1tcp=*
POST /containers/*/start
POST /containers/web-*/attach ?stream=1 ?stdout=1
POST /containers/web-*/exec /Cmd/*=* !/User=1000
POST /exec/*/start /Tty=true
DELETE /containers/web-* ?force=1
PUT /containers/web-*/archive ?path=/srv <
POST /**
";

/// The request as the engine gets it, or why there is none.
pub fn admit(rules: &str, request: &[u8]) -> Result<String, String> {
    let rules = AllowList::parse(rules).expect("rules");
    let mut decoder = RequestDecoder::new();
    let progress = decoder.decode(request).map_err(|error| error.to_string())?;
    let unix_http::wire::Progress::Complete { len } = progress else { return Err("cut".into()) };
    let framing = framing::request(decoder.head()).map_err(|error| error.to_string())?.framing;
    let mut body = BodyDecoder::of_request(framing, 0, 1000);
    let (mut content, mut at) = (Vec::new(), len);
    while !body.is_done() {
        let step = body.step(&request[at..]).map_err(|error| error.to_string())?;
        assert_ne!(
            step.framing + step.data,
            0,
            "a request that is cut: {}",
            request.escape_ascii()
        );
        content.extend_from_slice(&request[at + step.framing..at + step.framing + step.data]);
        body.consume(step.data);
        at += step.framing + step.data;
    }
    let passed = rules.admit(decoder.head(), Some(&content)).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(passed).expect("UTF-8"))
}

fn request(line: &str, fields: &str, body: &str) -> Vec<u8> {
    let length = match body {
        "" => String::new(),
        body => format!("Content-Length: {}\r\n", body.len()),
    };
    format!("{line} HTTP/1.1\r\nHost: docker\r\n{fields}{length}\r\n{body}").into_bytes()
}

/// A request-line, more fields, a body, and what the guard says: nothing if it passes.
struct Case(&'static str, &'static str, &'static str, &'static str);

const CREATE: &str = "POST /v1.41/containers/create";

const ALLOWED: &[Case] = &[
    Case("GET /_ping", "", "", ""),
    Case("HEAD /v1.24/_ping", "", "", ""),
    Case("HEAD /v1.99/_ping", "", "", ""),
    Case("GET /v4.3.1/_ping", "", "", ""),
    Case("GET /containers/json?all=1", "", "", ""),
    Case("GET /containers/json?all=0&size=false&trunc_cmd=&limit=-1", "", "", ""),
    Case("GET /containers/json?%61ll=%31", "", "", ""),
    Case("GET /containers/json?filters=%7B%22label%22%3A%7B%22app%3Dx%22%3Atrue%7D%7D", "", "", ""),
    Case("GET /images/library/nginx:1.25/json", "", "", ""),
    Case("GET /images/nginx@sha256:0123/json", "", "{}", ""),
    Case(CREATE, "", r#"{"Image":"nginx:1"}"#, ""),
    Case("POST /v1.41/containers/create?name=web-1", "", r#"{"Image":"nginx:1"}"#, ""),
    Case(CREATE, "", r#"{"Image":"nginx:1","Cmd":["a b","..","*"],"Env":["A=1"]}"#, ""),
    Case(CREATE, "", r#"{"\u0049mage":"\u006eginx:1"}"#, ""),
    Case(CREATE, "", r#" {"Image" : "nginx:1" , "Tty" : false} "#, ""),
    Case(CREATE, "", r#"{"Image":"nginx:1","Labels":{"app":"x"}}"#, ""),
    Case(CREATE, "", r#"{"HostConfig":{"Binds":["/srv/data:/data:ro"]}}"#, ""),
    Case(CREATE, "", r#"{"HostConfig":{"Binds":["/srv/www/a:/www"]}}"#, ""),
    Case(CREATE, "", r#"{"HostConfig":{"Binds":null,"CapAdd":[],"NetworkMode":"none"}}"#, ""),
    Case(CREATE, "", r#"{"HostConfig":{"ConsoleSize":[0,0],"MemorySwappiness":-1}}"#, ""),
    Case(CREATE, "", r#"{"HostConfig":{"LogConfig":{"Type":"","Config":{}}}}"#, ""),
    Case(CREATE, "", r#"{"HostConfig":{"MaskedPaths":null,"ReadonlyPaths":null}}"#, ""),
    Case(CREATE, "", r#"{"NetworkingConfig":{"EndpointsConfig":{}},"Entrypoint":null}"#, ""),
    Case(CREATE, "", r#"{"ExposedPorts":{"80/tcp":{}}}"#, ""),
    Case(
        CREATE,
        "",
        r#"{"HostConfig":{"PortBindings":{"80/tcp":[{"HostIp":"","HostPort":"8080"}]}}}"#,
        "",
    ),
    Case("POST /containers/4c6ce6/start", "", "", ""),
    Case("POST /containers/4c6ce6/start", "", "{}", ""),
    Case("POST /containers/web-1/attach?stream=1&stdout=1", "", "", ""),
    Case("POST /containers/web-1/attach?stream=1", "Upgrade: TCP\r\n", "", ""),
    Case("POST /containers/web-1/exec", "", r#"{"Cmd":["id"],"User":"1000"}"#, ""),
    Case("POST /exec/0a/start", "Connection: upgrade\r\nUpgrade: tcp\r\n", r#"{"Tty":true}"#, ""),
    Case("DELETE /containers/web-1?force=1&v=0&link=False", "", "", ""),
    Case("POST /networks/prune", "", "", ""),
];

/// One reader could read these in another way than the next.
const AMBIGUOUS: &[Case] = &[
    Case("POST /%63ontainers/create", "", "{}", "two ways"),
    Case("POST /%63ontainers%2fcreate", "", "{}", "two ways"),
    Case("GET //_ping", "", "", "two ways"),
    Case("GET /_ping/", "", "", "two ways"),
    Case("GET /x/../_ping", "", "", "two ways"),
    Case("GET /./_ping", "", "", "two ways"),
    Case("GET /_ping;x", "", "", "two ways"),
    Case("GET /_ping\\x", "", "", "two ways"),
    Case("GET /_ping#x", "", "", "two ways"),
    Case("GET /images/*/json", "", "", "names nothing"),
    Case("GET http://docker/_ping", "", "", "begins with /"),
    Case("OPTIONS *", "", "", "begins with /"),
    Case("GET /v1.41", "", "", "names nothing"),
    Case("GET /v0001.41/_ping", "", "", "API version"),
    Case("GET /v1.041/_ping", "", "", "API version"),
    Case("GET /v1/_ping", "", "", "API version"),
    Case("GET /v1.23/_ping", "", "", "API version"),
    Case("GET /v1.41.1/_ping", "", "", "API version"),
    Case("GET /v1.41/v1.41/_ping", "", "", "no rule has"),
    Case("GET /V1.41/_ping", "", "", "no rule has"),
    Case("GET /containers/json?all=1;size=1", "", "", "query"),
    Case("GET /containers/json?all=%zz", "", "", "query"),
    Case("GET /containers/json?all=%ff", "", "", "query"),
    Case("POST /session", "Upgrade: h2c\r\n", "", "BuildKit"),
    Case("POST /v1.41/grpc", "", "", "BuildKit"),
    Case("POST /containers/a/start", "Upgrade: tcp\r\n", "", "upgrade"),
    Case("GET /containers/a/attach/ws", "Upgrade: websocket\r\n", "", "upgrade"),
    Case("POST /containers/web-1/attach", "Upgrade: h2c\r\n", "", "upgrade"),
    Case("POST /containers/web-1/attach", "Upgrade: tcp, h2c\r\n", "", "upgrade"),
    Case(CREATE, "", r#"{"Image":"nginx:1","image":""}"#, "two members"),
    Case(CREATE, "", r#"{"Image":"nginx:1","Image":"nginx:1"}"#, "two members"),
    Case(CREATE, "", r#"{"Labels":{"app":"x","APP":""}}"#, "two members"),
    Case(CREATE, "", r#"{"HostConfig":null,"HostConfig":{"Privileged":true}}"#, "two members"),
    Case(
        CREATE,
        "",
        r#"{"HostConfig":{"Privileged":false},"hostconfig":{"Privileged":true}}"#,
        "two members",
    ),
    Case(CREATE, "", r#"{"Ho\u017ftConfig":{"Privileged":true}}"#, "not ASCII"),
    Case(CREATE, "", r#"{"HostConfig":{"Networ\u212aMode":"host"}}"#, "not ASCII"),
    Case(CREATE, "", "{\"Ho\u{17f}tConfig\":{}}", "not ASCII"),
    Case(CREATE, "", r#"{"Image":"nginx:1"}{"HostConfig":{"Privileged":true}}"#, "after the end"),
    Case(CREATE, "", r#"{"Image":"nginx:1"} x"#, "after the end"),
    Case(CREATE, "", "{\"Image\":\"nginx:1\",}", "comma"),
    Case(CREATE, "", "{\"Image\":'nginx:1'}", "a value must"),
    Case(CREATE, "", "\u{feff}{}", "byte order mark"),
    Case(CREATE, "", "{\"Image\":\"\\ud800\"}", "surrogate"),
    Case(CREATE, "", "[]", "not an object"),
    Case(CREATE, "", "null", "not an object"),
    Case(CREATE, "", "name=web", "the body"),
];

/// These have one meaning, which no rule allows.
const DENIED: &[Case] = &[
    Case("GET /info", "", "", "needed: GET /info"),
    Case("get /_ping", "", "", "no rule has"),
    Case("PUT /_ping", "", "", "no rule has"),
    Case("GET /containers/json?all=2", "", "", "lacks ?all=2"),
    Case("GET /containers/json?all=1&all=2", "", "", "lacks ?all=2"),
    Case("GET /containers/json?ALL=1", "", "", "lacks ?ALL=1"),
    Case("GET /containers/json?size=true", "", "", "lacks ?size=true"),
    Case("GET /containers/json?size=-1", "", "", "lacks ?size=-1"),
    Case("GET /containers/json?before=x%20y", "", "", "lacks ?before=x%20y"),
    Case("GET /containers/json", "", r#"{"all":true}"#, "lacks /all=true"),
    Case("GET /images", "", "", "no rule has"),
    Case(CREATE, "", r#"{"Image":"evil"}"#, "lacks /Image=evil"),
    Case(CREATE, "", r#"{"Image":["nginx:1"]}"#, "lacks /Image/*=nginx:1"),
    Case(CREATE, "", r#"{"image":"nginx:1"}"#, "lacks /image=nginx:1"),
    Case("POST /containers/create?name=db", "", "{}", "lacks ?name=db"),
    Case(CREATE, "", r#"{"HostConfig":{"Privileged":true}}"#, "/HostConfig/Privileged=true"),
    Case(CREATE, "", r#"{"H\u006fstConfig":{"Privi\u006ceged":true}}"#, "/Privileged=true"),
    Case(CREATE, "", r#"{"hostconfig":{"PRIVILEGED":true}}"#, "lacks /hostconfig/PRIVILEGED=true"),
    Case(CREATE, "", r#"{"HOSTCONFIG":{"Privileged":true}}"#, "/HOSTCONFIG/Privileged=true"),
    Case(CREATE, "", r#"{"HostConfig":{"Privileged":1}}"#, "/HostConfig/Privileged=1"),
    Case(CREATE, "", r#"{"HostConfig":{"Privileged":"true"}}"#, "/HostConfig/Privileged=true"),
    Case(CREATE, "", r#"{"HostConfig":{"CapAdd":["ALL"]}}"#, "/HostConfig/CapAdd/*=ALL"),
    Case(CREATE, "", r#"{"HostConfig":{"CapAdd":"ALL"}}"#, "/HostConfig/CapAdd=ALL"),
    Case(CREATE, "", r#"{"HostConfig":{"NetworkMode":"host"}}"#, "/HostConfig/NetworkMode=host"),
    Case(CREATE, "", r#"{"HostConfig":{"PidMode":"host"}}"#, "/HostConfig/PidMode=host"),
    Case(CREATE, "", r#"{"HostConfig":{"MaskedPaths":[]}}"#, "/HostConfig/MaskedPaths=[]"),
    Case(CREATE, "", r#"{"HostConfig":{"ReadonlyPaths":[]}}"#, "/HostConfig/ReadonlyPaths=[]"),
    Case(CREATE, "", r#"{"HostConfig":{"MASKEDPATHS":[]}}"#, "/HostConfig/MASKEDPATHS=[]"),
    Case(CREATE, "", r#"{"HostConfig":{"SecurityOpt":["seccomp=unconfined"]}}"#, "/SecurityOpt/*="),
    Case(CREATE, "", r#"{"HostConfig":{"Devices":[{"PathOnHost":"/dev/sda"}]}}"#, "/Devices/*/"),
    Case(CREATE, "", r#"{"HostConfig":{"Devices":[{}]}}"#, "lacks /HostConfig/Devices=;"),
    Case(
        CREATE,
        "",
        r#"{"HostConfig":{"Mounts":[{"Type":"bind","Source":"/"}]}}"#,
        "/Mounts/*/Type",
    ),
    Case(CREATE, "", r#"{"HostConfig":{"VolumesFrom":["db"]}}"#, "/HostConfig/VolumesFrom/*=db"),
    Case(CREATE, "", r#"{"HostConfig":{"Binds":["/srv/data:/data"]}}"#, "/Binds/*=/srv/data:/data"),
    Case(CREATE, "", r#"{"HostConfig":{"Binds":["/:/data:ro"]}}"#, "/Binds/*=/:/data:ro"),
    Case(CREATE, "", r#"{"HostConfig":{"Binds":["/srv/www/../..:/www"]}}"#, "/../..:/www"),
    Case(CREATE, "", r#"{"HostConfig":{"Binds":["/tmp/../etc:/x:ro"]}}"#, "/tmp/../etc:/x:ro"),
    Case(CREATE, "", r#"{"HostConfig":{"MemorySwap":-1}}"#, "/HostConfig/MemorySwap=-1"),
    Case(CREATE, "", r#"{"HostConfig":{"Memory":-1.0}}"#, "/HostConfig/Memory=-1.0"),
    Case(CREATE, "", r#"{"HostConfig":{"CgroupParent":0.0}}"#, "/HostConfig/CgroupParent=0.0"),
    Case(
        CREATE,
        "",
        r#"{"HostConfig":{"PortBindings":{"22/tcp":[{}]}}}"#,
        "lacks /HostConfig/PortBindings/22~1tcp=;",
    ),
    Case(CREATE, "", r#"{"HostConfig":{"PortBindings":{"22/tcp":[]}}}"#, "/22~1tcp=[]"),
    Case(CREATE, "", r#"{"HostConfig":{"Tmpfs":{"/run":""}}}"#, "/HostConfig/Tmpfs/~1run="),
    Case(CREATE, "", r#"{"HostConfig":{"Sysctls":{"Kernel":""}}}"#, "/HostConfig/Sysctls/Kernel="),
    Case(CREATE, "", r#"{"Entrypoint":[]}"#, "/Entrypoint=[]"),
    Case(CREATE, "", r#"{"Entrypoint":""}"#, "/Entrypoint="),
    Case(CREATE, "", r#"{"Entrypoint":[""]}"#, "/Entrypoint="),
    Case(CREATE, "", r#"{"Volumes":{"/x":{}}}"#, "/Volumes/~1x={}"),
    Case(CREATE, "", r#"{"ExposedPorts":{"22/tcp":{}}}"#, "/ExposedPorts/22~1tcp={}"),
    Case(CREATE, "", r#"{"Labels":{"traefik.enable":""}}"#, "/Labels/traefik.enable="),
    Case(
        CREATE,
        "",
        r#"{"NetworkingConfig":{"EndpointsConfig":{"Db":{}}}}"#,
        "/NetworkingConfig/EndpointsConfig/Db={}",
    ),
    Case(
        CREATE,
        "",
        r#"{"NetworkingConfig":{"EndpointsConfig":{"Db":{"Aliases":null}}}}"#,
        "/NetworkingConfig/EndpointsConfig/Db=",
    ),
    Case(CREATE, "", r#"{"":"x"}"#, "lacks /=x"),
    Case("POST /containers/a/start", "", r#"{"Privileged":true}"#, "/Privileged=true"),
    Case("POST /containers/db/attach?stream=1", "Upgrade: tcp\r\n", "", "no rule"),
    Case("POST /containers/web-1/attach?stdin=1", "Upgrade: tcp\r\n", "", "lacks ?stdin=1"),
    Case(
        "POST /containers/web-1/exec",
        "",
        r#"{"Cmd":["id"]}"#,
        "lacks a request with !/User=1000",
    ),
    Case("POST /containers/web-1/exec", "", r#"{"Cmd":["id"],"User":""}"#, "!/User=1000"),
    Case("POST /containers/web-1/exec", "", r#"{"User":"1000","Privileged":true}"#, "Privileged"),
    Case("POST /exec/0a/start", "", r#"{"Detach":true}"#, "lacks /Detach=true"),
    Case("DELETE /containers/db?force=1", "", "", "no rule has"),
    Case("PUT /containers/web-1/archive?path=/srv", "", "tar", "the body"),
];

#[test]
fn allowed_requests_pass() {
    for Case(line, fields, body, _) in ALLOWED {
        let passed = admit(RULES, &request(line, fields, body));
        let passed = passed.unwrap_or_else(|why| panic!("{line} {body}: {why}"));
        // What has passed passes again, and as it is.
        let again = admit(RULES, passed.as_bytes()).unwrap();
        assert_eq!(again, passed, "{line} {body}");
    }
}

#[test]
fn ambiguous_requests_are_refused() {
    for Case(line, fields, body, want) in AMBIGUOUS {
        let refused = admit(RULES, &request(line, fields, body)).expect_err(line);
        assert!(refused.contains(want), "{line} {body}: {refused}");
    }
}

#[test]
fn what_no_rule_names_is_refused() {
    // The last rule names every POST.
    let rules = RULES.replace("POST /**", "");
    for Case(line, fields, body, want) in DENIED {
        let refused = admit(&rules, &request(line, fields, body)).expect_err(line);
        assert!(refused.contains(want), "{line} {body}: {refused}");
    }
}

/// What a refusal names as needed is a rule, and with it the request passes.
#[test]
fn the_needed_rule_allows_the_request() {
    let mut count = 0;
    for Case(line, fields, body, _) in ALLOWED.iter().chain(DENIED) {
        let request = request(line, fields, body);
        let Err(refused) = admit("", &request) else { panic!("{line}: passed without a rule") };
        let Some((_, needed)) = refused.split_once("needed: ") else { continue };
        if line.starts_with("get ") || needed.ends_with('<') {
            continue;
        }
        let passed = admit(needed, &request);
        assert!(passed.is_ok(), "{line} {body}: {needed}: {passed:?}");
        count += 1;
    }
    assert!(count > 80, "{count}");
}

/// The engine gets the guard's own encoding and the fields it knows, nothing else.
#[test]
fn the_engine_gets_what_was_checked() {
    let fields = "X-Registry-Auth: e30=\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                  Connection: x-registry-auth\r\nX-Other: 1\r\nExpect: 100-continue\r\n";
    let body = " {\"\\u0049mage\" : \"nginx:1\\u002f\",\n\"Tty\":false}";
    let passed = admit(RULES, &request("POST /containers/create?name=web-%31+", fields, body));
    assert_eq!(
        passed.unwrap(),
        "POST /containers/create?name=web-1%20 HTTP/1.1\r\nHost: docker\r\n\
         X-Registry-Auth: e30=\r\nContent-Type: application/json\r\nContent-Length: 32\r\n\r\n\
         {\"Image\":\"nginx:1/\",\"Tty\":false}"
    );
    let upgrade = request("POST /exec/0a/start", "Connection: x, Upgrade\r\nUpgrade: tcp\r\n", "");
    assert!(
        admit(RULES, &upgrade).unwrap().ends_with("Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
    );
    let close = request("GET /_ping", "Connection: close\r\n", "");
    assert!(admit(RULES, &close).unwrap().ends_with("\r\nConnection: close\r\n\r\n"));
}

#[test]
fn a_wrong_line_is_an_error_with_its_number() {
    let cases = [
        ("GET", "a rule is a method"),
        ("get /x", "capital letters"),
        ("GET x", "begins with /"),
        ("GET /", "two ways"),
        ("GET /a//b", "two ways"),
        ("GET /a/../b", "two ways"),
        ("GET /%61", "two ways"),
        ("GET /**/a", "** is the last"),
        ("GET /a** ", "** is the last"),
        ("GET /a x", "a limit is"),
        ("GET /a ?x", "a limit is"),
        ("GET /a /x", "a limit is"),
        ("GET /a x=1", "a limit is"),
        ("GET /a !<", "a limit is"),
        ("GET /a ?x=%", "%25"),
        ("GET /a ?x=%ff", "%25"),
    ];
    for (line, want) in cases {
        let error = AllowList::parse(&format!("# one\n\nGET /b\n  {line} # more")).unwrap_err();
        assert_eq!(error.line, 4, "{line}");
        let error = error.to_string();
        assert!(error.starts_with("line 4: ") && error.contains(want), "{line}: {error}");
    }
    for text in ["", "# nothing", "GET /v1.41/a # no", "GET /a ?b== /c= !/d=#x <"] {
        assert!(AllowList::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn globs() {
    let rule = |glob: &str| format!("GET /a ?x={glob}");
    let matches = |glob: &str, text: &str| {
        admit(&rule(glob), &request(&format!("GET /a?x={text}"), "", "")).is_ok()
    };
    for (glob, yes, no) in [
        ("*", "anything..at/all", ""),
        ("a*", "a", "b"),
        ("*a", "ba", "ab"),
        ("a*b*c", "a-b-c", "a-c"),
        ("a*a", "aa", "a"),
        ("/srv/*", "/srv/x/y", "/srv/x/../y"),
        ("/srv/*:/x", "/srv/y:/x", "/srv/..:/x"),
        ("a..b*", "a..bc", "a..b.."),
        ("%2A", "*", "x"),
        ("a%20b", "a+b", "a%2520b"),
        ("[a-z]", "[a-z]", "b"),
    ] {
        assert!(matches(glob, yes), "{glob} {yes}");
        assert!(no.is_empty() || !matches(glob, no), "{glob} {no}");
    }
}
