// Answers every request with 200 and no more; listens on the Unix socket given.
import http from "node:http";

const server = http.createServer((request, response) => {
  request.on("error", () => {});
  request.resume();
  request.on("end", () => response.end());
});
server.on("clientError", (_, socket) => socket.writable && socket.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
server.listen(process.argv[2]);
