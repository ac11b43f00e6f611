"""Asks for /0 to /N-1 with http.client; prints a line for each: its number, ok or no, and the body in hex."""
import http.client, socket, sys

class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(sys.argv[1])

for number in range(int(sys.argv[2])):
    connection = Connection("localhost")
    body, verdict = b"", "ok"
    try:
        connection.request("GET", f"/{number}")
        response = connection.getresponse()
        body = response.read()
    except (http.client.HTTPException, OSError, ValueError, ArithmeticError):
        verdict = "no"
    connection.close()
    print(number, verdict, body.hex())
