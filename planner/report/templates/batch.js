(() => {
  for (const table of document.querySelectorAll("table.rank-table")) {
    const body = table.tBodies[0];
    table.querySelectorAll("th[data-k]").forEach((head) => {
      head.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") !== "descending";
        table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const worth = (row) => row.dataset[head.dataset.k];
        const order = (one, other) => {
          const [a, b] = [worth(one), worth(other)];
          if (a === "" || b === "") return (a === "") - (b === "");
          const by = head.dataset.k === "q" ? a.localeCompare(b) : a - b;
          return down ? -by : by;
        };
        [...body.rows].sort(order).forEach((row) => body.append(row));
      });
    });
  }
})();
