//! Requests for a guard: allowed by a rule, ambiguous, or denied.

/// A rule file with one rule of each kind.
pub const RULES: &str = "
GET /_ping
HEAD /_ping
GET /containers/json ?all=1 ?filters={\"label\":{\"app=*\":true}} ?limit=*
GET /images/**
POST /containers/create ?name=web-* /Image=busy:* /Cmd/*=* /Env/*=* /Labels/app=* \
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

pub fn request(line: &str, fields: &str, body: &str) -> Vec<u8> {
    let length = match body {
        "" => String::new(),
        body => format!("Content-Length: {}\r\n", body.len()),
    };
    format!("{line} HTTP/1.1\r\nHost: docker\r\n{fields}{length}\r\n{body}").into_bytes()
}

/// A request-line, more fields, a body, and a part of the refusal; empty if the request passes.
pub struct Case(pub &'static str, pub &'static str, pub &'static str, pub &'static str);

pub const CREATE: &str = "POST /v1.41/containers/create";

pub const ALLOWED: &[Case] = &[
    Case("GET /_ping", "", "", ""),
    Case("HEAD /v1.24/_ping", "", "", ""),
    Case("HEAD /v1.99/_ping", "", "", ""),
    Case("GET /v4.3.1/_ping", "", "", ""),
    Case("GET /containers/json?all=1", "", "", ""),
    Case("GET /containers/json?all=0&size=false&trunc_cmd=&limit=-1", "", "", ""),
    Case("GET /containers/json?%61ll=%31", "", "", ""),
    Case("GET /containers/json?filters=%7B%22label%22%3A%7B%22app%3Dx%22%3Atrue%7D%7D", "", "", ""),
    Case("GET /images/library/busy:1.25/json", "", "", ""),
    Case("GET /images/nginx@sha256:0123/json", "", "{}", ""),
    Case(CREATE, "", r#"{"Image":"busy:latest"}"#, ""),
    Case("POST /v1.41/containers/create?name=web-1", "", r#"{"Image":"busy:latest"}"#, ""),
    Case(CREATE, "", r#"{"Image":"busy:latest","Cmd":["a b","..","*"],"Env":["A=1"]}"#, ""),
    Case(CREATE, "", r#"{"\u0049mage":"\u0062usy:1"}"#, ""),
    Case(CREATE, "", r#" {"Image" : "busy:latest" , "Tty" : false} "#, ""),
    Case(CREATE, "", r#"{"Image":"busy:latest","Labels":{"app":"x"}}"#, ""),
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

/// Two readers could disagree about the meaning of these.
pub const AMBIGUOUS: &[Case] = &[
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
    Case("GET /v1.41/v1.41/_ping", "", "", "API version"),
    Case("GET /V1.41/_ping", "", "", "no rule has"),
    Case("GET /containers/json?all=1;size=1", "", "", "query"),
    Case("GET /containers/json?all=%zz", "", "", "query"),
    Case("GET /containers/json?all=%ff", "", "", "query"),
    Case("POST /session", "Upgrade: h2c\r\n", "", "a protocol"),
    Case("POST /v1.41/grpc", "", "", "a protocol"),
    Case("POST /containers/a/start", "Upgrade: tcp\r\n", "", "a protocol"),
    Case("GET /containers/a/attach/ws", "Upgrade: websocket\r\n", "", "a protocol"),
    Case("POST /containers/web-1/attach", "Upgrade: h2c\r\n", "", "a protocol"),
    Case("POST /containers/web-1/attach", "Upgrade: tcp, h2c\r\n", "", "a protocol"),
    Case(CREATE, "", r#"{"Image":"busy:latest","image":""}"#, "two members"),
    Case(CREATE, "", r#"{"Image":"busy:latest","Image":"busy:latest"}"#, "two members"),
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
    Case(
        CREATE,
        "",
        r#"{"Image":"busy:latest"}{"HostConfig":{"Privileged":true}}"#,
        "after the end",
    ),
    Case(CREATE, "", r#"{"Image":"busy:latest"} x"#, "after the end"),
    Case(CREATE, "", "{\"Image\":\"busy:1\",}", "comma"),
    Case(CREATE, "", "{\"Image\":'busy:1'}", "expected a value"),
    Case(CREATE, "", "\u{feff}{}", "lacks <"),
    Case(CREATE, "", "{\"Image\":\"\\ud800\"}", "surrogate"),
    Case(CREATE, "", "[]", "lacks <"),
    Case(CREATE, "", "null", "lacks <"),
    Case(CREATE, "", "name=web", "lacks <"),
];

/// These have one meaning, but no rule allows it.
pub const DENIED: &[Case] = &[
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
    Case(CREATE, "", r#"{"Image":["busy:latest"]}"#, "lacks /Image/*=busy:latest"),
    Case(CREATE, "", r#"{"image":"busy:latest"}"#, "lacks /image=busy:latest"),
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
];
