"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = head.querySelector("button");
    button.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const body = table.tBodies[0];
      const numeric = head.classList.contains("number");
      const key = (row) => {
        const cell = row.cells[column];
        return numeric ? parseFloat(cell.dataset.value ?? "NaN") : cell.textContent;
      };
      const keyed = [...body.rows].map((row) => [key(row), row]);
      keyed.sort(([one], [other]) => {
        if (!numeric) return (up ? 1 : -1) * one.localeCompare(other, undefined, { numeric: true });
        if (Number.isNaN(one) || Number.isNaN(other)) return Number.isNaN(one) - Number.isNaN(other);
        return one === other ? 0 : (up ? 1 : -1) * (one < other ? -1 : 1);
      });
      body.append(...keyed.map(([, row]) => row));
    });
  });
}
