"use strict";
(() => {
  const table = document.querySelector("table.samples");
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const said = document.getElementById("sorted");
  const words = new Intl.Collator("en", { numeric: true });

  const keyOf = (row, column, numbers) => {
    const cell = row.cells[column];
    const text = "v" in cell.dataset ? cell.dataset.v : cell.textContent;
    if (!numbers) return text;
    return text === "" ? NaN : Number(text.replaceAll(",", ""));
  };

  const sort = (head, column) => {
    const other = { ascending: "descending", descending: "ascending" };
    const way = other[head.getAttribute("aria-sort")] ?? head.dataset.first;
    const sign = way === "ascending" ? 1 : -1;
    const numbers = head.dataset.kind === "number";
    const pairs = [...body.rows].map((row) => [keyOf(row, column, numbers), row]);
    pairs.sort(([a], [b]) => {
      if (!numbers) return sign * words.compare(a, b);
      if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
      return a === b ? 0 : sign * (a < b ? -1 : 1);
    });
    body.append(...pairs.map(([, row]) => row));
    for (const one of heads) one.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", way);
    said.textContent = `sorted by ${head.textContent}, ${way}`;
  };

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(head, column));
    head.append(button);
  });
  for (const hint of document.querySelectorAll(".hint")) hint.hidden = false;
})();
