(() => {
  const data = JSON.parse(document.getElementById("floor-data").textContent);
  const box = document.querySelector(".slider"), input = box.querySelector("input");
  const output = box.querySelector("output"), note = box.querySelector(".n");
  const rows = [...document.querySelectorAll(".row[data-row]")];
  const at = (changes, t) => { let found = null; for (const change of changes) { if (change[0] > t) break; found = change[1]; } return found; };
  const draw = (t) => {
    let total = 0;
    for (const row of rows) {
      const counts = at(data.rows[row.dataset.row] || [], t) || [];
      row.querySelectorAll("i[data-k]").forEach((part) => {
        const n = counts[part.dataset.k] || 0;
        part.style.flexBasis = (100 * n) / row.dataset.p + "%";
        total += n;
      });
    }
    output.textContent = data.periods[t];
    note.textContent = total.toLocaleString("en-US") + " racks stand";
  };
  input.max = data.periods.length - 1;
  input.value = input.max;
  input.addEventListener("input", () => draw(Number(input.value)));
  box.hidden = data.periods.length < 2;
  draw(Number(input.value));
})();
