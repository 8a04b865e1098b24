// Sorts tables, draws plots when they come into view, and makes the page of a run when it is opened.
// Whatever comes from the data enters as text, never as HTML.
(function () {
  "use strict";

  const root = document.documentElement;
  const all = document.getElementById("all");
  const article = document.getElementById("run");

  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
    element.append(...children.filter((child) => child !== null));
    return element;
  }

  async function read(name) {
    const text = document.getElementById(name).textContent;
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  }

  // Tables

  function keyOf(cell, numeric) {
    const text = cell.textContent;
    if (!numeric) return text;
    const share = /^(\d+)\/(\d+)/.exec(text);
    if (share !== null) return share[1] / share[2];
    // The first number: a mean before its deviation, a value before its interval.
    const found = /[-+]?\d[\d,]*\.?\d*(e[-+]?\d+)?|inf/.exec(text);
    return found === null ? null : found[0] === "inf" ? Infinity : Number(found[0].replaceAll(",", ""));
  }

  function sort(button) {
    const heading = button.closest("th");
    const table = button.closest("table");
    const column = heading.cellIndex;
    const direction = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const numeric = heading.classList.contains("number");
    for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row) => [keyOf(row.cells[column], numeric), row]);
    rows.sort(([a], [b]) => {
      // What has no value comes last, whichever way one sorts.
      if (a === null || b === null) return (a === null) - (b === null);
      // Compared, not subtracted: infinity less infinity is no number.
      return direction * (numeric ? (a > b) - (a < b) : a.localeCompare(b, "en", { numeric: true }));
    });
    body.append(...rows.map(([, row]) => row));
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button === null) return;
    if (button.closest("table.sortable thead")) sort(button);
    else if (button.dataset.solver !== undefined) toggle(button);
  });

  // Plots

  const plots = new Map();

  function theme() {
    const style = getComputedStyle(root);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = {
      gridcolor: colour("--line"), linecolor: colour("--line"), zerolinecolor: colour("--line"),
      tickcolor: colour("--line"), automargin: true,
    };
    return {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: colour("--sans"), size: 13, color: colour("--quiet") },
      hoverlabel: { bgcolor: colour("--surface"), bordercolor: colour("--line"), font: { color: colour("--text"), family: colour("--sans") } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("--quiet"), activecolor: colour("--accent") },
      xaxis: axis,
      yaxis: axis,
    };
  }

  function merged(one, other) {
    const result = { ...one };
    for (const [name, value] of Object.entries(other)) {
      const both = [result[name], value].every((side) => side !== null && typeof side === "object" && !Array.isArray(side));
      result[name] = both ? merged(result[name], value) : value;
    }
    return result;
  }

  function draw(canvas, figure) {
    const hidden = hiddenIn(canvas);
    const data = figure.data.map((trace) => ({ ...trace, visible: !hidden.has(trace.meta) }));
    const options = {
      displaylogo: false,
      responsive: true,
      // A button that sends the plot to Plotly's servers is there by default.
      showSendToCloud: false,
      plotlyServerURL: "",
      modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
      toImageButtonOptions: { format: "svg", filename: "llmopt" },
    };
    plots.set(canvas, figure);
    Plotly.newPlot(canvas, data, merged(theme(), figure.layout), options);
  }

  function hiddenIn(canvas) {
    const section = canvas.closest("section");
    const off = section === null ? [] : section.querySelectorAll('.legend [aria-pressed="false"]');
    return new Set(Array.from(off, (button) => Number(button.dataset.solver)));
  }

  function toggle(button) {
    button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") === "false"));
    for (const canvas of button.closest("section").querySelectorAll(".plot")) {
      if (!plots.has(canvas)) continue;
      const hidden = hiddenIn(canvas);
      Plotly.restyle(canvas, { visible: canvas.data.map((trace) => !hidden.has(trace.meta)) });
    }
  }

  const watcher = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        watcher.unobserve(entry.target);
        read(entry.target.dataset.figure).then((figure) => draw(entry.target, figure));
      }
    },
    { rootMargin: "300px" },
  );
  for (const canvas of document.querySelectorAll("[data-figure]")) watcher.observe(canvas);

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const [canvas, figure] of plots) Plotly.react(canvas, canvas.data, merged(theme(), figure.layout));
  });

  // Pages of runs

  const pages = Array.from(document.querySelectorAll('[id^="run-data-"]'), (block) => block.id.slice(9));

  function table(title, columns, rows, numbers) {
    const heading = (name) => {
      const cell = make("th", { scope: "col" }, make("button", { type: "button" }, name));
      if (numbers.includes(name)) cell.className = "number";
      return cell;
    };
    const line = (row) => {
      const cells = row.map((text, j) => {
        const cell = make(j ? "td" : "th", j ? {} : { scope: "row" }, text);
        if (numbers.includes(columns[j])) cell.className = "number";
        return cell;
      });
      return make("tr", {}, ...cells);
    };
    const grid = make(
      "table", { class: "sortable long" },
      make("caption", {}, make("span", {}, title)),
      make("thead", {}, make("tr", {}, ...columns.map(heading))),
      make("tbody", {}, ...rows.map(line)),
    );
    return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title }, grid);
  }

  function facts(pairs) {
    const pair = ([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value));
    return make("dl", { class: "pairs" }, ...pairs.map(pair));
  }

  function folded(title, fill) {
    // Filled when it is opened: a run may have thousands of prompts.
    const box = make("details", { class: "step" }, make("summary", {}, title));
    box.addEventListener("toggle", () => {
      if (box.open && box.children.length === 1) box.append(fill());
    });
    return box;
  }

  function exchange(request) {
    const inside = make("div", {});
    for (const [who, text] of request.prompts) inside.append(make("h4", {}, who), make("pre", { tabindex: "0" }, text));
    const replies = request.replies.map((reply) => {
      const title = `reply ${reply.sample + 1}` + (reply.finish === "stop" ? "" : ` (ended by ${reply.finish})`);
      return make("div", {}, make("h4", {}, title), make("pre", { tabindex: "0" }, reply.text));
    });
    inside.append(make("div", { class: "replies" }, ...replies));
    inside.append(make("p", { class: "facts" }, `${request.settings}; ${request.usage}`));
    return inside;
  }

  function models(page) {
    if (!page.models.length && !page.left_out) return [];
    const parts = [make("h3", {}, "Prompts and replies")];
    if (page.left_out) {
      parts.push(make("p", { class: "notice" }, `${page.left_out} requests are left out here to keep the page small; all are in run.sqlite, tables requests, texts and replies.`));
    }
    for (const request of page.models) {
      const count = request.replies.length;
      const title = `Step ${request.step}, ${request.role}, request ${request.call + 1}.${request.request + 1}: ${count} ${count === 1 ? "reply" : "replies"}`;
      parts.push(folded(title, () => exchange(request)));
    }
    return parts;
  }

  function ways(number) {
    const at = pages.indexOf(number);
    const link = (page, text) => (page === undefined ? null : make("a", { href: "#run-" + page }, text));
    return make(
      "nav", { class: "ways", "aria-label": "Runs" },
      make("a", { href: "#all" }, "All results"), link(pages[at - 1], "Previous run"), link(pages[at + 1], "Next run"),
    );
  }

  async function open(number) {
    const page = await read("run-data-" + number);
    if (location.hash !== "#run-" + number) return;
    const title = make("h2", { tabindex: "-1" }, page.title);
    const parts = [ways(number), title, make("p", {}, page.problem), make("p", {}, page.message)];
    if (page.instruction !== null) parts.push(make("h3", {}, "Instruction"), make("pre", { tabindex: "0" }, page.instruction));
    parts.push(facts(page.facts));
    const canvas = make("div", { class: "plot", role: "img", "aria-label": "Plot: every score and the best so far, against evaluations" });
    if (page.figure !== null) {
      const caption = make("figcaption", {}, "Scores, and the best so far");
      parts.push(make("div", { class: "plots" }, make("figure", {}, caption, canvas)));
    }
    for (const found of page.tables) {
      parts.push(table(found.title, found.columns, found.rows, ["evaluation", "step", "score"]));
      if (found.failed) parts.push(table(`Evaluations that failed: ${found.failed}`, ["evaluation", "reason"], found.failures, ["evaluation"]));
    }
    parts.push(...models(page), make("h3", {}, "Settings of the solver"), make("pre", { tabindex: "0" }, page.settings));
    clear();
    article.append(...parts);
    article.dataset.run = number;
    all.hidden = true;
    article.hidden = false;
    if (page.figure !== null) draw(canvas, page.figure);
    scrollTo(0, 0);
    title.focus({ preventScroll: true });
  }

  function clear() {
    for (const canvas of article.querySelectorAll(".plot")) {
      if (plots.delete(canvas)) Plotly.purge(canvas);
    }
    article.replaceChildren();
  }

  let last = null;

  function close() {
    if (article.hidden) return;
    clear();
    article.hidden = true;
    all.hidden = false;
    const link = all.querySelector(`a[href="#run-${last}"]`);
    const target = location.hash.length > 1 && location.hash !== "#all" ? document.getElementById(location.hash.slice(1)) : null;
    if (target !== null) {
      target.scrollIntoView();
    } else if (link !== null) {
      // Back to where the run was opened.
      link.closest("details").open = true;
      link.scrollIntoView({ block: "center" });
      link.focus({ preventScroll: true });
    }
  }

  function route() {
    const number = /^#run-(\d+)$/.exec(location.hash)?.[1];
    if (number !== undefined && pages.includes(number)) {
      last = number;
      open(number);
    } else {
      close();
    }
  }

  addEventListener("hashchange", route);
  route();
})();
