"use strict";
// Films play while they are seen; pictures open large; the table of lifetimes is sorted and paged.
(() => {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (!still && "IntersectionObserver" in window) {
    const watch = new IntersectionObserver((seen) => {
      for (const { target, isIntersecting } of seen) isIntersecting ? target.play().catch(() => {}) : target.pause();
    }, { threshold: 0.4 });
    document.querySelectorAll("video").forEach((film) => {
      film.controls = false; // they hide a small film; they come when it is pointed at
      film.addEventListener("pointerenter", () => { film.controls = true; });
      film.addEventListener("pointerleave", () => { film.controls = false; });
      watch.observe(film);
    });
  }

  const large = document.getElementById("large");
  document.querySelectorAll(".plot img").forEach((picture) => {
    picture.tabIndex = 0;
    const open = () => {
      large.querySelector("img").src = picture.src;
      large.querySelector("img").alt = picture.alt;
      large.showModal();
    };
    picture.addEventListener("click", open);
    picture.addEventListener("keydown", (event) => event.key === "Enter" && open());
  });
  large.addEventListener("click", () => large.close());

  const data = document.querySelector("script.rows");
  if (!data) return;
  const { digits, rows } = JSON.parse(data.textContent);
  const table = document.querySelector("table.all");
  const pages = document.getElementById("pages");
  const ROWS = 25;
  let column = 1, down = true, page = 0;

  const words = (value, places) =>
    value === null ? "–" : places === null ? value
      : value.toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });

  function show() {
    const count = Math.max(1, Math.ceil(rows.length / ROWS));
    page = Math.min(Math.max(page, 0), count - 1);
    const body = document.createElement("tbody");
    for (const row of rows.slice(page * ROWS, (page + 1) * ROWS)) {
      const line = body.insertRow();
      row.forEach((value, i) => {
        const cell = line.insertCell();
        cell.textContent = words(value, digits[i]);
        if (digits[i] === null) cell.className = "words";
      });
    }
    table.tBodies[0].replaceWith(body);
    pages.hidden = count === 1;
    pages.querySelector("span").textContent = `page ${page + 1} of ${count}`;
    pages.querySelector("[data-go='-1']").disabled = page === 0;
    pages.querySelector("[data-go='1']").disabled = page === count - 1;
    table.querySelectorAll("th").forEach((head, i) => {
      if (i === column) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  }

  function sort() {
    rows.sort((a, b) => {
      const x = a[column], y = b[column];
      if (x === null || y === null) return (x === null) - (y === null); // what is not there comes last either way
      const order = x < y ? -1 : x > y ? 1 : a[0] - b[0];
      return down ? -order : order;
    });
  }

  table.tHead.addEventListener("click", (event) => {
    const head = event.target.closest("th");
    if (!head) return;
    const chosen = Number(head.dataset.column);
    down = chosen === column ? !down : digits[chosen] !== null;
    column = chosen;
    page = 0;
    sort();
    show();
  });
  pages.addEventListener("click", (event) => {
    const go = event.target.dataset.go;
    if (go) { page += Number(go); show(); }
  });
  sort();
  show();
})();
