// A field to sign in by finger, pen or mouse. Without it the name is typed; nothing else on these pages needs script.
"use strict";

for (const part of document.querySelectorAll(".needs-script")) part.hidden = false;
document.querySelector('input[name="device"]').value = navigator.userAgent.slice(0, 200);

for (const canvas of document.querySelectorAll("canvas[data-for]")) {
  const which = canvas.dataset.for;
  const kept = document.querySelector(`input[name="${which}_strokes"]`);
  const drawn = document.getElementById(`${which}-drawn`);
  const pen = canvas.getContext("2d");
  pen.lineWidth = 3;
  pen.lineCap = "round";
  pen.lineJoin = "round";

  const point = (event) => {
    const box = canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) * canvas.width) / box.width,
      ((event.clientY - box.top) * canvas.height) / box.height,
    ];
  };
  const clear = () => {
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.strokeStyle = "#11204a";
    kept.value = "";
  };

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pen.beginPath();
    pen.moveTo(...point(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    pen.lineTo(...point(event));
    pen.stroke();
  });
  canvas.addEventListener("pointerup", () => {
    kept.value = canvas.toDataURL("image/png");
    drawn.checked = true;
  });
  document.querySelector(`[data-clear="${which}"]`).addEventListener("click", clear);
  clear();
}
