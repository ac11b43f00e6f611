// The live page of `ucurl tap --web`.
//
// The tap sends a summary of each exchange, and again when it changes. The page keeps them, draws
// the rows in view, and fetches an exchange in full when you open it.
//
// Traffic may be hostile. All of it enters the page as text nodes, never as markup, so a script in
// a header stays text. As a second guard, the Content-Security-Policy forbids inline code.
'use strict';

const ROWS_BEYOND = 8; // drawn beyond the view, so that scrolling shows no gap
const TEXT_STEP = 32768; // characters of a text shown at first
const ITEM_STEP = 200; // lines or JSON members shown at first
const MOST_PIECES = 2000; // pieces of a stream in the page
const DEEPEST_JSON = 100; // deeper JSON is shown as text
const RETRY_MS = 2000;

const byId = id => document.getElementById(id);

// ---- text

/** Creates an element with children. A string becomes a text node. */
function make(tag, className = '', ...children) {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...children);
  return element;
}

function makeButton(label, onClick, className = '') {
  const button = make('button', className, label);
  button.addEventListener('click', onClick);
  return button;
}

function clear(element) {
  element.replaceChildren();
  return element;
}

// Control and format characters are invisible, or change the order in which text is shown.
const HIDDEN = /(?:(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}])+/gu;
const SHORT_NAMES = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function spellOut(characters) {
  return Array.from(characters, character => {
    const hex = character.codePointAt(0).toString(16).padStart(2, '0');
    return SHORT_NAMES[character] ?? (hex.length > 2 ? `\\u{${hex}}` : `\\x${hex}`);
  }).join('');
}

const oneLine = text => text.replace(HIDDEN, spellOut).replace(/[\n\t]/g, spellOut);

function addText(parent, text) {
  let at = 0;
  for (const { 0: found, index } of text.matchAll(HIDDEN)) {
    parent.append(text.slice(at, index), make('span', 'hidden', spellOut(found)));
    at = index + found.length;
  }
  parent.append(text.slice(at));
  return parent;
}

/** Adds the beginning of a text or of a list, and a button that adds more. */
function addStart(parent, all, step, add) {
  add(parent, all.slice(0, step));
  const rest = all.slice(step);
  if (!rest.length) return parent;
  const button = makeButton(`Show more: ${rest.length} left`, () => {
    button.remove();
    addStart(parent, rest, step, add);
  }, 'more');
  parent.append(button);
  return parent;
}

const addLongText = (parent, text) => addStart(parent, text, TEXT_STEP, addText);
const addItems = (parent, items, build) => addStart(parent, items, ITEM_STEP, (to, some) =>
  to.append(...some.map(build)));

function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const power = bytes < 999500 ? 1 : bytes < 999500000 ? 2 : 3;
  const value = bytes / 1000 ** power;
  return `${value.toFixed(value < 9.95 ? 1 : 0)} ${['', 'kB', 'MB', 'GB'][power]}`;
}

function duration(ms) {
  if (ms < 999.5) return `${ms.toFixed(ms < 9.95 ? 1 : 0)} ms`;
  if (ms < 59950) return `${(ms / 1000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** The time of day at a time of the session. Swedish has 24 hours and ISO dates. */
const clock = ms => new Date(Date.parse(session.started) + ms).toLocaleTimeString('sv');

// ---- events

const exchanges = new Map(); // id -> summary
let session = {}; // what the tap says about itself

function connect() {
  const source = new EventSource('events');
  const on = (name, handle) =>
    source.addEventListener(name, event => handle(JSON.parse(event.data)));
  on('about', news => begin(source, news));
  on('exchange', keep);
  on('dropped', forget);
  on('end', () => showState('ended'));
  source.onerror = () => {
    if (source.readyState === EventSource.CONNECTING) {
      return showState('lost', 'disconnected, trying again');
    }
    // The browser gives up after a response that is no event stream.
    showState('lost', 'disconnected; a restarted tap has a new address');
    setTimeout(connect, RETRY_MS);
  };
}

/** Begins a session. In another session an id means another exchange. */
function begin(source, news) {
  const isOther = session.started && session.started !== news.started;
  session = news;
  showState('live');
  showSession();
  if (!isOther) return;
  forget({ exchanges: 0, before: Infinity });
  // This connection resumed in the middle of the session. A new one gets all its events.
  source.close();
  connect();
}

function showSession() {
  const { program, command, target, started } = session;
  const time = new Date(started).toLocaleString('sv');
  const name = oneLine(command || program).slice(0, 300);
  byId('program').textContent = oneLine(program);
  byId('session').replaceChildren(make('b', '', command ? name : ''),
    make('span', '', `to ${oneLine(target)}`), make('time', '', time));
  document.title = `${name} · ${time} · ucurl`;
}

function showState(name, text = name) {
  byId('state').className = name;
  byId('state').textContent = text;
}

function keep(summary) {
  // A target of a megabyte would slow down every search and every row.
  summary.target = summary.target.slice(0, 1000);
  const { connection, method, target, status, reason, fault } = summary;
  summary.words = `conn:${connection} ${method} ${target} ${status || ''} ${reason} ${fault ?? ''}`
    .toLowerCase();
  exchanges.set(summary.id, summary);
  if (summary.id === opened.id) loadDetail();
  redraw();
}

function forget({ exchanges: count, before }) {
  for (const id of exchanges.keys()) if (id < before) exchanges.delete(id);
  byId('dropped').textContent = count ? `${count} earlier exchanges are no longer kept.` : '';
  if (!exchanges.has(opened.id)) closeDetail();
  redraw();
}

// ---- filter

const KINDS = {
  all: () => true,
  errors: ({ state, status }) => state === 'failed' || status >= 400,
  open: ({ state }) => state === 'open',
  writes: ({ method }) => !['GET', 'HEAD', ''].includes(method),
};
let kind = 'all';
let wanted = []; // the words of the search: { text, without }

function readSearch() {
  wanted = byId('search').value.toLowerCase().split(/\s+/).filter(Boolean).map(word => {
    const without = word.length > 1 && word.startsWith('-');
    return { text: without ? word.slice(1) : word, without };
  });
  redraw();
}

function passes(summary) {
  return KINDS[kind](summary)
    && wanted.every(({ text, without }) => summary.words.includes(text) !== without);
}

function showKinds() {
  const all = [...exchanges.values()];
  for (const button of byId('kinds').children) {
    const name = button.dataset.kind;
    button.lastElementChild.textContent = all.filter(KINDS[name]).length;
    button.ariaPressed = name === kind;
  }
}

// ---- list

const list = byId('list');
const rows = byId('rows');
const drawn = new Map(); // id -> the element of a row in view
let shown = []; // the summaries that pass the filter
let current = null; // the id of the row that the arrow keys move
let drawing = false;
let height = 30; // of a row; two lines are higher than one
let topRow = 0; // the index of the row at the top of the view

/** Draws everything once before the next frame. */
function redraw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(draw);
}

const isAtEnd = box => box.scrollTop + box.clientHeight >= box.scrollHeight - 4;

function draw() {
  drawing = false;
  keepTopRow();
  const follows = isAtEnd(list);
  shown = [...exchanges.values()].filter(passes).sort((a, b) => a.id - b.id);
  rows.style.setProperty('--count', shown.length);
  list.ariaRowCount = shown.length + 1;
  if (follows) list.scrollTop = list.scrollHeight;
  const reason = exchanges.size ? 'No exchange passes the filter.' : 'Waiting for a request.';
  byId('empty').textContent = shown.length ? '' : reason;
  showKinds();
  drawRows();
}

/** Keeps the rows in view when an exchange opens or closes beside them and their height changes. */
function keepTopRow() {
  const now = parseFloat(getComputedStyle(rows).getPropertyValue('--row'));
  if (now === height) {
    topRow = list.scrollTop / height;
  } else {
    height = now;
    list.scrollTop = topRow * height;
  }
}

/** Draws the rows in view, or for a print the first thousand. */
function drawRows(isPrint = false) {
  keepTopRow();
  const from = isPrint ? 0 : Math.max(0, Math.floor(topRow) - ROWS_BEYOND);
  const count = isPrint ? 1000 : Math.ceil(list.clientHeight / height) + 2 * ROWS_BEYOND;
  const inView = shown.slice(from, from + count);
  for (const [id, row] of drawn) {
    if (inView.some(one => one.id === id)) continue;
    row.remove();
    drawn.delete(id);
  }
  const scale = timeScale(inView);
  inView.forEach((summary, index) => drawRow(summary, from + index, scale));
  list.setAttribute('aria-activedescendant', drawn.has(current) ? `row-${current}` : '');
}

/**
 * The time line spans the rows in view, so a bar of a millisecond stays visible after hours. An
 * open exchange does not stretch it: its bar runs to the edge.
 */
function timeScale(inView) {
  const from = Math.min(...inView.map(one => one.start_ms));
  const ends = inView.map(one => one.state === 'open' ? one.start_ms : one.last_ms ?? one.start_ms);
  const length = Math.max(1, Math.max(...ends) - from);
  byId('from').textContent = inView.length ? clock(from) : '';
  byId('to').textContent = inView.length ? `+${duration(length)}` : '';
  return { from, length };
}

function drawRow(summary, index, scale) {
  const { id } = summary;
  let row = drawn.get(id);
  if (!row) {
    row = Object.assign(make('div'), { id: `row-${id}`, role: 'row' });
    drawn.set(id, row);
    rows.append(row);
  }
  if (row.summary !== summary) fillRow(row, summary);
  row.ariaRowIndex = index + 2;
  row.ariaSelected = id === current;
  row.style.setProperty('--index', index);
  placeBar(row.bar, summary, scale);
}

/** Places a bar on the time line: pale until the first byte of the response, then full. */
function placeBar(bar, { state, start_ms: start, first_ms: first, last_ms: last }, scale) {
  const end = state === 'open' ? scale.from + scale.length : last ?? start;
  const percent = (part, whole) => `${100 * part / (whole || 1)}%`;
  bar.style.setProperty('--left', percent(start - scale.from, scale.length));
  bar.style.setProperty('--width', percent(end - start, scale.length));
  bar.style.setProperty('--wait', percent((first ?? end) - start, end - start));
}

function fillRow(row, summary) {
  const { state, connection, method, target, sent, received, fault } = summary;
  const cell = (...parts) => Object.assign(make('span', ...parts), { role: 'gridcell' });
  const [code, reason] = statusTexts(summary);
  // A fault of a connection, such as a refused client, has no request.
  const about = oneLine(method ? target : fault ?? '');
  row.title = oneLine(target);
  row.summary = summary;
  row.bar = make('i');
  row.className = `row ${statusClass(summary)} ${state}`;
  row.replaceChildren(
    cell('connection', connection), cell('method', oneLine(method)),
    cell('target', shortIds(about)),
    cell('status', `${code} `, make('small', '', reason)), cell('time', timeText(summary)),
    cell('sent', size(sent)), cell('received', size(received)), make('span', 'line', row.bar));
}

/** Cuts the ids of containers and images as the docker command does. */
const shortIds = text => text.replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, '$1…');

function statusTexts({ status, reason, state }) {
  const code = status || (state === 'open' ? '…' : '');
  return [code, state === 'failed' ? 'fault' : oneLine(reason)];
}

function timeText({ state, start_ms: start, last_ms: last }) {
  return state === 'open' || last === null ? 'open' : duration(last - start);
}

function statusClass({ status, state }) {
  if (state === 'failed' || status >= 500) return 'bad';
  if (status >= 400) return 'poor';
  return status === 101 ? 'raw' : 'good';
}

function moveBy(steps) {
  if (!shown.length) return;
  const at = shown.findIndex(({ id }) => id === current);
  const index = Math.min(shown.length - 1, Math.max(0, at + steps));
  current = shown[index].id;
  const top = index * height;
  const room = list.clientHeight - height - list.firstElementChild.offsetHeight;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top > list.scrollTop + room) list.scrollTop = top - room;
  drawRows();
  if (opened.id !== null) openDetail(current);
}

// ---- detail

const detail = byId('detail');
// The exchange in full: its id, its last response, and the elements that show it. `count` is the
// number of pieces so far. `again` notes a change that came during a request.
const opened = { id: null };

function openDetail(id) {
  if (opened.id === id) return;
  current = id;
  Object.assign(opened, { id, loading: false, again: false });
  detail.hidden = false;
  document.body.classList.add('reading');
  startDetail();
  loadDetail();
  redraw();
}

function startDetail() {
  const parts = {
    title: make('h2', '', 'Loading'), actions: make('div', 'actions'), facts: make('dl'),
    faults: make('div'), messages: make('div'), foot: make('div', 'foot'),
  };
  const empty = { data: null, count: 0, blocks: [], stream: newBody(), isStale: false };
  Object.assign(opened, parts, empty);
  detail.replaceChildren(...Object.values(parts));
  detail.scrollTop = 0;
}

function closeDetail() {
  opened.id = null;
  detail.hidden = true;
  document.body.classList.remove('reading');
  redraw();
}

/** Fetches what is new of the open exchange, with one request at a time. */
async function loadDetail() {
  const { id } = opened;
  opened.again = opened.loading;
  if (opened.loading) return;
  opened.loading = true;
  const data = await fetch(`exchange/${id}?after=${opened.count}`)
    .then(answer => answer.ok ? answer.json() : null).catch(() => null);
  // Meanwhile the reader may have opened another one.
  if (opened.id !== id) return;
  opened.loading = false;
  if (data) showDetail(data);
  else if (!opened.data) opened.title.textContent = 'The tap no longer keeps this exchange.';
  if (opened.isStale) startDetail();
  else if (!opened.again) return;
  loadDetail();
}

function showDetail(data) {
  // Redrawing a button would lose its focus or a click on it.
  const { curl, ucurl } = opened.data ?? {};
  if (curl !== data.curl || ucurl !== data.ucurl) fillTitle(data);
  opened.data = data;
  opened.count = data.piece_count;
  fillFacts(data);
  showMessages(data);
  opened.faults.replaceChildren(...data.faults.map(fault => showNote(fault, 'fault')));
  opened.foot.replaceChildren(...data.notes.map(note => showNote(note)));
}

function fillTitle({ summary: { method, target }, curl, ucurl }) {
  const copies = Object.entries({ ucurl, curl }).filter(([, command]) => command);
  detail.ariaLabel = oneLine(`${method} ${target.slice(0, 200)}`);
  clear(opened.title).append(make('b', '', oneLine(method)), ' ');
  addLongText(opened.title, oneLine(target));
  opened.actions.replaceChildren(
    ...copies.map(([name, command]) => makeButton(`Copy as ${name}`, () => copy(command))),
    makeButton('Close', goBack, 'close'));
}

function fillFacts({ summary, timing }) {
  const { connection, number, sent, received } = summary;
  const facts = [
    ['Status', make('span', `chip ${statusClass(summary)}`, statusTexts(summary).join(' '))],
    ['Connection', `${connection}, exchange ${number}`],
    ['Started', clock(timing.start_ms)], ...showTiming(timing),
    ['Sent', size(sent)], ['Received', size(received)],
  ];
  opened.facts.replaceChildren(...facts.map(([name, value]) =>
    make('div', '', make('dt', '', name), make('dd', '', value))));
}

function showTiming({ start_ms: start, sent_ms: sent, first_ms: first, end_ms: end }) {
  const parts = [['Request', start, sent], ['Waiting', sent, first], ['Response', first, end]];
  return parts.filter(([, from, to]) => from !== null && to !== null && from <= to)
    .map(([name, from, to]) => [name, duration(to - from)]);
}

function showNote({ text, rule }, className = 'note') {
  const note = addText(make('p', className), text);
  if (rule) note.append(' ', showRule(rule));
  return note;
}

function showRule(rule) {
  const found = /^RFC (\d{1,5}) §([\d.]*\d)/.exec(rule);
  if (!found) return make('cite', '', `· ${oneLine(rule)}`);
  const href = `https://www.rfc-editor.org/rfc/rfc${found[1]}#section-${found[2]}`;
  return Object.assign(make('a', '', oneLine(rule)), { href, rel: 'noreferrer', target: '_blank' });
}

/** Shows what is new of the messages: heads are drawn again, bodies grow. */
function showMessages({ summary, messages, pieces }) {
  const last = {};
  messages.forEach((message, index) => {
    opened.blocks[index] ??= newBlock(message);
    showHead(opened.blocks[index], message);
    last[message.side] = index;
  });
  // Content belongs to the last message of its side: an interim response has none.
  for (const [side, index] of Object.entries(last)) {
    const content = pieces.filter(({ from, upgraded }) => from === side && !upgraded);
    // After an upgrade the counts of a body are those of the stream.
    if (content.length || summary.kind !== 'upgraded') {
      growBody(opened.blocks[index].body, messages[index].body, content);
    }
  }
  growStream(pieces.filter(({ upgraded }) => upgraded), messages);
}

function newBlock({ side, lines }) {
  const isInterim = /^HTTP\S+ 1(?!01)/.test(lines[0]?.text);
  const name = side === 'request' ? 'Request' : isInterim ? 'Interim response' : 'Response';
  const block = { head: make('div'), body: newBody(), trailers: make('div'), count: -1 };
  opened.messages.append(
    make('section', side, make('h3', '', name), block.head, block.body.element, block.trailers));
  return block;
}

function showHead(block, { lines, framing, trailers }) {
  const count = lines.length + trailers.length + (framing ? 1 : 0);
  if (block.count === count) return;
  block.count = count;
  addItems(clear(block.head), lines, showLine);
  if (framing) block.head.append(showNote(framing, 'framing'));
  if (trailers.length) {
    addItems(clear(block.trailers), trailers, showLine).prepend(make('h4', '', 'Trailers'));
  }
}

function showLine({ text, notes }) {
  return make('div', 'pair', addLongText(make('code'), text),
    make('div', 'notes', ...notes.map(note => showNote(note))));
}

// ---- bodies

function newBody() {
  return {
    element: make('div', 'body'), title: make('h4'), size: make('span'), view: make('div'),
    more: make('button', 'more'), steps: 1, pieces: [], asText: false, text: '', parsed: 0,
  };
}

function growBody(body, facts, pieces) {
  if (!facts?.bytes) return;
  // A text may turn out to be binary. Everything is then shown again.
  opened.isStale ||= Boolean(body.kind) && body.kind !== facts.kind;
  body.kind = facts.kind;
  body.pieces.push(...pieces);
  if (!body.element.firstChild) {
    body.title.append(body.size);
    body.element.append(body.title, body.view, body.more);
  }
  fillBodyTitle(body, facts);
  if (facts.kind === 'frames') addPieces(body, pieces);
  else if (facts.kind === 'hex') showHex(body);
  else showText(body, facts.kind, pieces);
}

function fillBodyTitle(body, facts) {
  const { bytes, kept, kind } = facts;
  const name = { json: 'JSON', hex: 'binary', none: 'not kept' }[kind] ?? kind;
  addLeftOut(clear(body.size), `Body: ${size(bytes)}, ${name} `, bytes - kept);
  if (kind !== 'json' || body.button) return;
  body.button = makeButton('As text', () => {
    Object.assign(body, { asText: !body.asText, text: '', parsed: 0, tail: null });
    body.button.textContent = body.asText ? 'As a tree' : 'As text';
    showText(body, kind, body.pieces);
  });
  body.title.append(body.button);
}

function addLeftOut(title, text, bytes) {
  title.append(text);
  if (bytes > 0) title.append(make('span', 'chip poor', `the last ${size(bytes)} are left out`));
}

/** Adds the bytes of an upgraded connection, which belong to neither message. */
function growStream(pieces, messages) {
  const { stream } = opened;
  if (!pieces.length) return;
  if (!stream.pieces.length) {
    const title = make('h3', '', 'After the upgrade');
    stream.element.append(stream.size, stream.view);
    opened.messages.append(make('section', '', title, stream.element));
  }
  const left = messages.map(({ body }) => body ? body.bytes - body.kept : 0);
  addLeftOut(clear(stream.size), '', left.reduce((sum, bytes) => sum + bytes));
  stream.pieces.push(...pieces);
  addPieces(stream, pieces);
}

/** Shows text, or a tree for each JSON value. Incomplete JSON stays text. */
function showText(body, kind, pieces) {
  body.text += pieces.map(({ text }) => text ?? '').join('');
  if (!body.tail) {
    body.trees = make('div', 'tree');
    body.tail = make('pre');
    body.view.replaceChildren(body.trees, body.tail);
  }
  if (kind === 'json' && !body.asText) {
    const { values, end } = readJson(body.text, body.parsed);
    body.parsed = end;
    addItems(body.trees, values, value => showJson(value));
  }
  showStart(body, body.text.slice(body.parsed), TEXT_STEP, text => addText(clear(body.tail), text));
}

/** Shows the beginning of a body that grows. The button stays, for clicks on it. */
function showStart(body, all, step, show) {
  const end = body.steps * step;
  show(all.slice(0, end));
  body.more.textContent = end < all.length ? `Show more: ${all.length - end} left` : '';
  body.more.onclick = () => {
    body.steps += 1;
    showStart(body, all, step, show);
  };
}

/** Adds pieces of a stream: when they came, from which side, on which of Docker's streams. */
function addPieces(body, pieces) {
  if (!body.lines) {
    body.earlier = make('p');
    body.lines = make('div', 'stream');
    body.view.replaceChildren(body.earlier, body.lines);
  }
  const follows = body.last && isAtEnd(detail);
  for (const piece of pieces.slice(-MOST_PIECES)) {
    body.lines.append(showPiece(piece, body.last));
    body.last = piece;
  }
  while (body.lines.childElementCount > MOST_PIECES) body.lines.firstElementChild.remove();
  const missing = body.pieces.length - body.lines.childElementCount;
  body.earlier.textContent = missing ? `${missing} earlier pieces are not shown.` : '';
  if (follows) detail.scrollTop = detail.scrollHeight;
}

// The streams in Docker's frames. The daemon reports its own errors on the last one.
const STREAMS = ['stdin', 'stdout', 'stderr', 'daemon'];

function showPiece({ t, from, stream, text, hex }, before) {
  const isRequest = from === 'request';
  const name = STREAMS.includes(stream) ? stream : '';
  const same = before && before.from === from && before.stream === stream;
  return make('div', `piece ${from} ${name} ${same ? 'same' : ''}`,
    make('time', '', duration(t - opened.data.summary.start_ms)),
    make('b', '', `${isRequest ? '→' : '←'} ${name || (isRequest ? 'client' : 'server')}`),
    addLongText(make('pre'), text ?? hexLines(hex).join('\n')));
}

function showHex(body) {
  const hex = body.pieces.map(piece => piece.hex ?? '').join('');
  showStart(body, hexLines(hex), ITEM_STEP, lines =>
    body.view.replaceChildren(...lines.map(line => make('code', 'hex', line))));
}

/** Sixteen bytes a line: the offset, the bytes, and their printable ASCII. */
function hexLines(hex) {
  return (hex.match(/.{1,32}/g) ?? []).map((part, index) => {
    const bytes = part.match(/../g);
    const text = String.fromCharCode(...bytes.map(byte => parseInt(byte, 16)));
    const offset = (16 * index).toString(16).padStart(8, '0');
    return `${offset}  ${bytes.join(' ').padEnd(47)}  ${text.replace(/[^ -~]/g, '.')}`;
  });
}

// ---- JSON tree

const SPACE = /[ \t\r\n]*/y;
const STRING = /"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y;
const SCALARS = {
  string: STRING,
  number: /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y,
  word: /true|false|null/y,
};

/**
 * Reads the complete values from an offset on. JSON.parse would round large numbers and drop
 * repeated names; here each scalar keeps the text that was sent.
 */
function readJson(text, from) {
  const values = [];
  let end = from;
  try {
    for (let at = skip(text, from); at < text.length; at = skip(text, end)) {
      values.push(readValue(text, at, 0));
      end = values.at(-1).end;
    }
    end = text.length;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return { values, end };
}

function find(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

const skip = (text, at) => at + find(SPACE, text, at).length;

function readValue(text, at, depth) {
  if (text[at] === '{' || text[at] === '[') return readMembers(text, at, depth);
  for (const [kind, pattern] of Object.entries(SCALARS)) {
    const found = find(pattern, text, at);
    if (found) return { kind, text: found, end: at + found.length };
  }
  throw new SyntaxError('no value');
}

function readMembers(text, start, depth) {
  if (depth > DEEPEST_JSON) throw new SyntaxError('too deep');
  const isObject = text[start] === '{';
  const close = isObject ? '}' : ']';
  const members = [];
  let at = skip(text, start + 1);
  while (text[at] !== close || members.length) {
    const name = isObject && find(STRING, text, at);
    if (isObject) {
      at = skip(text, at + (name ?? '').length);
      if (!name || text[at] !== ':') throw new SyntaxError('no name');
      at = skip(text, at + 1);
    }
    const value = readValue(text, at, depth + 1);
    members.push({ name, value });
    at = skip(text, value.end);
    if (text[at] === close) break;
    if (text[at] !== ',') throw new SyntaxError('no comma');
    at = skip(text, at + 1);
  }
  return { isObject, members, end: at + 1 };
}

function showJson({ kind, text, isObject, members }, name, depth = 0) {
  const label = name ? [addText(make('span', 'name'), name), ': '] : [];
  if (!members) return make('div', 'leaf', ...label, addLongText(make('span', kind), text));
  const [opens, closes] = isObject ? ['{', '}'] : ['[', ']'];
  const count = members.length;
  if (!count) return make('div', 'leaf', ...label, opens + closes);
  const unit = (isObject ? 'member' : 'element') + (count > 1 ? 's' : '');
  const node = make('details', '',
    make('summary', '', ...label, `${opens} `, make('i', '', `${count} ${unit}`), ` ${closes}`));
  // Members are built when they are first unfolded, which keeps large documents cheap.
  const unfold = () => {
    if (!node.open || node.childElementCount > 1) return;
    node.append(addItems(make('div'), members, ({ name: inner, value }) =>
      showJson(value, inner, depth + 1)));
  };
  node.open = depth === 0 || (depth < 3 && count <= 12);
  unfold();
  node.addEventListener('toggle', unfold);
  return node;
}

// ---- copy and appearance

async function copy(command) {
  const shortened = oneLine(command.slice(0, 300));
  try {
    await navigator.clipboard.writeText(command);
    byId('note').textContent = `Copied: ${shortened}`;
  } catch {
    byId('note').textContent = `The browser does not allow copying: ${shortened}`;
  }
}

const THEMES = ['Auto', 'Light', 'Dark'];

function switchTheme() {
  const theme = byId('theme');
  theme.textContent = THEMES[(THEMES.indexOf(theme.textContent) + 1) % THEMES.length];
  document.documentElement.dataset.theme = theme.textContent;
}

function toggleExplain() {
  const isPlain = document.body.classList.toggle('plain');
  byId('explain').ariaPressed = !isPlain;
}

// ---- keyboard

const pageOfRows = () => Math.floor(list.clientHeight / height) - 1;
const LIST_KEYS = {
  ArrowDown: () => moveBy(1),
  ArrowUp: () => moveBy(-1),
  PageDown: () => moveBy(pageOfRows()),
  PageUp: () => moveBy(-pageOfRows()),
  Home: () => moveBy(-Infinity),
  End: () => moveBy(Infinity),
  Enter: enter,
};

/** Opens the exchange of the current row, or moves the focus into it. */
function enter() {
  if (current === null) return;
  const isOpen = opened.id === current;
  openDetail(current);
  if (isOpen || getComputedStyle(list).visibility === 'hidden') detail.focus();
}

/** Clears the search, leaves the search, or closes the exchange. */
function goBack() {
  const search = byId('search');
  const isSearching = document.activeElement === search;
  if (!isSearching) closeDetail();
  if (isSearching && search.value) {
    search.value = '';
    readSearch();
  } else {
    list.focus();
  }
}

function onKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const isTyping = event.target === byId('search');
  let action;
  if (event.key === 'Escape') action = goBack;
  else if (event.target === list) action = LIST_KEYS[event.key];
  if (!isTyping && event.key === '/') action = () => byId('search').focus();
  if (!isTyping && event.key === 'e') action = toggleExplain;
  if (isTyping && event.key === 'Enter') action = () => list.focus();
  if (!action) return;
  event.preventDefault();
  action();
}

// ---- start

document.addEventListener('keydown', onKey);
list.addEventListener('scroll', () => drawRows());
rows.addEventListener('click', event => {
  const row = event.target.closest('.row');
  if (row) openDetail(row.summary.id);
});
byId('search').addEventListener('input', readSearch);
byId('kinds').addEventListener('click', event => {
  kind = event.target.closest('button')?.dataset.kind ?? kind;
  redraw();
});
byId('explain').addEventListener('click', toggleExplain);
byId('theme').addEventListener('click', switchTheme);
new ResizeObserver(redraw).observe(list);
addEventListener('beforeprint', () => drawRows(true));
addEventListener('afterprint', redraw);
list.focus();
connect();
