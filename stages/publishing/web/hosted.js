// Keeps the page for use without a network. From disk, browsers load no modules.
if (location.protocol === "file:") {
  document.getElementById("status").textContent =
    "This page needs a web server. To open it from disk, use {{ one_file }}, beside it.";
} else {
  navigator.serviceWorker?.register("./offline.js");
}
