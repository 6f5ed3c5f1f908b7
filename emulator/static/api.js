// Requests to the control API; an error carries the server's words.
export async function call(method, path, body) {
  const options = { method, headers: {} };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  const answer = await fetch(`/emulator/${path}`, options);
  const result = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(result.error || `HTTP ${answer.status}`);
  return result;
}
export const act = (person, what, body = {}) => call("POST", `people/${encodeURIComponent(person)}/${what}`, body);

export function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(",")[1]);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
