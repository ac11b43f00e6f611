// Asks for /0 to /N-1 with node's http; prints a line for each: its number, ok or no, and the body in hex.
import http from "node:http";

const [socketPath, count] = process.argv.slice(2);

function ask(number) {
  return new Promise((done) => {
    const parts = [];
    const end = (verdict) => done(`${number} ${verdict} ${Buffer.concat(parts).toString("hex")}`);
    const request = http.request({ socketPath, path: `/${number}`, agent: false, timeout: 10000 }, (response) => {
      response.on("data", (part) => parts.push(part));
      response.on("end", () => end(response.complete ? "ok" : "no"));
      response.on("error", () => end("no"));
      response.on("aborted", () => end("no"));
    });
    request.on("error", () => end("no"));
    request.on("timeout", () => { request.destroy(); end("no"); });
    request.on("upgrade", (_, socket) => { socket.destroy(); end("no"); });
    request.end();
  });
}

for (let number = 0; number < Number(count); number++) console.log(await ask(number));
