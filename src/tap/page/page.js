"use strict";
const list = document.getElementById("exchanges");
const events = new EventSource("events");
events.addEventListener("exchange", (event) => {
  const line = document.createElement("p");
  line.textContent = event.data;
  list.append(line);
});
