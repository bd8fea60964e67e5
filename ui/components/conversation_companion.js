// Beside the conversation, in the browser only: announces a finished reply once, keeps the newest row in view, and keeps
// words that were typed and not sent through a reload of this tab. Text arrives as data and is only ever set as text.
const announced = new Set()
let shownMark = null
const LOOKS_MS = [0, 250, 700, 1500]

function composer() {
  return document.querySelector(".st-key-composer textarea")
}

function restore(area, words) {
  const setter = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set
  setter.call(area, words)
  area.dispatchEvent(new Event("input", { bubbles: true }))
}

function rememberUnsent(slot) {
  const area = composer()
  if (!area || area.dataset.prSlot === slot) return
  const prefix = slot.split("#")[0] + "#"
  for (const key of Object.keys(sessionStorage)) {
    if (key.startsWith(prefix) && key !== slot) sessionStorage.removeItem(key)
  }
  area.dataset.prSlot = slot
  const kept = sessionStorage.getItem(slot)
  if (kept && !area.value) restore(area, kept)
  if (area.dataset.prListens) return
  area.dataset.prListens = "yes"
  area.addEventListener("input", () => {
    if (area.value) sessionStorage.setItem(area.dataset.prSlot, area.value)
    else sessionStorage.removeItem(area.dataset.prSlot)
  })
}

// Rows settle over a moment (the coach's line comes last), so look again a few times; a person who scrolls is left alone.
function followNewest(mark) {
  if (shownMark === mark) return
  shownMark = mark
  let theirs = false
  const stop = () => { theirs = true }
  const signs = ["wheel", "touchmove", "keydown"]
  for (const sign of signs) addEventListener(sign, stop, { passive: true })
  for (const wait of LOOKS_MS) setTimeout(() => { if (!theirs && shownMark === mark) showNewest() }, wait)
  setTimeout(() => { for (const sign of signs) removeEventListener(sign, stop) }, LOOKS_MS.at(-1))
}

function showNewest() {
  const rows = document.querySelectorAll(".pr-newest")
  const row = rows[rows.length - 1]
  if (!row) return
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches
  row.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" })
}

export default function ({ data, parentElement }) {
  const region = parentElement.querySelector(".pr-announcer")
  if (data.announce && !announced.has(data.announce)) {
    announced.add(data.announce)
    region.textContent = data.words
  }
  requestAnimationFrame(() => requestAnimationFrame(() => {
    if (data.slot) rememberUnsent(data.slot)
    if (data.mark) followNewest(data.mark)
    const area = composer()
    const lost = !document.activeElement || document.activeElement === document.body
    if (data.announce && area && lost && matchMedia("(pointer: fine)").matches) area.focus({ preventScroll: true })
  }))
}
