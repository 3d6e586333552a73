const filter = document.getElementById("filter");
filter.hidden = false;
filter.addEventListener("input", () => {
	const wanted = filter.value.toLowerCase();
	for (const row of document.querySelectorAll("li:not(.up)")) {
		row.hidden = !row.querySelector("bdi").textContent.toLowerCase().includes(wanted);
		row.style.display = row.hidden ? "none" : "";
	}
});
for (const time of document.querySelectorAll("time")) {
	time.textContent = new Date(time.dateTime).toLocaleString();
}
