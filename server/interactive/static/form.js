/* oxlint-disable typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-misused-promises --
   runs in browsers, whose types are none of the server's */
// What makes a form kinder: one submission only, a word when the network is away, cards in groups, photos that are shown and
// made smaller before they travel. All of it works without.
const LONGEST_SIDE = 2200;
const PREVIEW_SIDE = 320;
const JPEG_QUALITY = 0.85;

/**
 * As long as the server may take for an answer: then the button may be pressed again. Files may take longer, but no script is told
 * that the customer has stopped the browser, and who presses once more means to send them anew.
 */
const BUSY_MS = 30_000;

const away = document.querySelector('#away');

function tellNetwork() {
  if (!away) return;
  away.hidden = navigator.onLine;
  away.textContent = navigator.onLine ? '' : away.dataset.away;
}
addEventListener('online', tellNetwork);
addEventListener('offline', tellNetwork);
tellNetwork();

for (const form of document.querySelectorAll('form[method="post"]')) {
  form.addEventListener('submit', (event) => {
    if (!navigator.onLine || form.dataset.sent) {
      event.preventDefault();
      tellNetwork();
      return;
    }
    form.dataset.sent = 'yes';
    event.submitter?.setAttribute('aria-disabled', 'true');
    setTimeout(release, BUSY_MS);
  });
}
function release() {
  for (const form of document.querySelectorAll('form[data-sent]')) delete form.dataset.sent;
  for (const button of document.querySelectorAll('button[aria-disabled]'))
    button.removeAttribute('aria-disabled');
}
// A page that the browser kept comes back as it was left: it may be sent again.
addEventListener('pageshow', release);

const MASKS = {
  number: (digits) => digits.slice(0, 19).replace(/(.{4})(?=.)/g, '$1 '),
  expiry: (digits) => digits.slice(0, 4).replace(/^(\d\d)(?=\d)/, '$1/'),
  code: (digits) => digits.slice(0, 4),
};
for (const input of document.querySelectorAll('input[data-mask]')) {
  input.addEventListener('input', () => {
    // Only while typing at the end: a mark that moves under the cursor is worse than none.
    if (input.selectionStart !== input.value.length) return;
    input.value = MASKS[input.dataset.mask](input.value.replace(/\D/g, ''));
  });
}

for (const input of document.querySelectorAll('input[type="file"]')) {
  input.addEventListener('change', async () => {
    input.setCustomValidity('');
    input.nextElementSibling?.remove();
    const [file] = input.files;
    if (!file) return;
    const image = file.type.startsWith('image/') ? await createImageBitmap(file).catch(() => null) : null;
    const sent = image ? await shrink(input, file, image) : file;
    if (image) input.after(draw(image, PREVIEW_SIDE));
    if (sent.size <= Number(input.dataset.maxBytes)) return;
    input.setCustomValidity(input.dataset.tooLarge);
    input.reportValidity();
  });
}

function draw(image, longest) {
  const scale = Math.min(1, longest / Math.max(image.width, image.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(image.width * scale));
  canvas.height = Math.max(1, Math.round(image.height * scale));
  canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.setAttribute('aria-hidden', 'true');
  return canvas;
}

/** A photo of a phone's camera has more pixels than anyone reads; without them it arrives over a poor network too. */
async function shrink(input, file, image) {
  if (Math.max(image.width, image.height) <= LONGEST_SIDE || file.type !== 'image/jpeg') return file;
  const blob = await new Promise((done) =>
    draw(image, LONGEST_SIDE).toBlob(done, 'image/jpeg', JPEG_QUALITY),
  );
  if (!blob || blob.size >= file.size) return file;
  const files = new DataTransfer();
  files.items.add(new File([blob], file.name, { type: blob.type }));
  input.files = files.files;
  return blob;
}
