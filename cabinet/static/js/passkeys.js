// Makes a passkey, or lets one sign: the form asks its server for a challenge before it is sent.

const bytesOf = (text) => {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
};
const textOf = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const described = (list = []) => list.map((one) => ({ ...one, id: bytesOf(one.id) }));

async function make(options) {
  const made = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytesOf(options.challenge),
      user: { ...options.user, id: bytesOf(options.user.id) },
      excludeCredentials: described(options.excludeCredentials),
    },
  });
  return answer(made, { attestationObject: textOf(made.response.attestationObject) });
}

async function sign(options) {
  const signed = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: bytesOf(options.challenge),
      allowCredentials: described(options.allowCredentials),
    },
  });
  return answer(signed, {
    authenticatorData: textOf(signed.response.authenticatorData),
    signature: textOf(signed.response.signature),
  });
}

const answer = (credential, response) =>
  JSON.stringify({
    id: credential.id,
    rawId: textOf(credential.rawId),
    type: credential.type,
    clientExtensionResults: {},
    response: { ...response, clientDataJSON: textOf(credential.response.clientDataJSON) },
  });

export function passkey(form) {
  const said = form.querySelector("[data-passkey-said]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    said.textContent = "";
    if (!window.PublicKeyCredential) {
      said.textContent = form.dataset.wordsNever;
      return;
    }
    try {
      const begun = await fetch(form.dataset.begin, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      if (begun.redirected || !begun.headers.get("content-type")?.startsWith("application/json")) {
        window.location.assign(begun.redirected ? begun.url : window.location.href);
        return;
      }
      const options = await begun.json();
      form.elements.code.value = await (form.dataset.passkey === "make" ? make(options) : sign(options));
    } catch {
      said.textContent = form.dataset.wordsFailed;
      return;
    }
    form.submit();
  });
}
