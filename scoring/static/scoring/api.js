// Reading the REST API: typed problems instead of bare failures.

const TIMEOUT_MS = 30_000;

/** What went wrong, in the words of the server where it gave any. */
export class ProblemError extends Error {
  constructor({ title, detail, status, requestId }) {
    super(detail || title);
    this.name = "ProblemError";
    this.title = title;
    this.status = status;
    this.requestId = requestId;
  }
}

export async function readJson(path) {
  const response = await request(path);
  if (!response.ok) throw await problemOf(response);
  try {
    return await response.json();
  } catch {
    throw new ProblemError({
      title: "The answer of the server is not JSON.",
      status: response.status,
    });
  }
}

async function request(path) {
  try {
    return await fetch(path, {
      headers: { Accept: "application/json, */*;q=0.5" },
      credentials: "same-origin",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (failure) {
    const isLate = failure.name === "TimeoutError";
    throw new ProblemError({
      title: isLate ? "The server did not answer" : "The server cannot be reached",
      detail: isLate
        ? `No answer within ${TIMEOUT_MS / 1000} seconds. Try again in a moment.`
        : "Check the connection and that the web process is running, then try again.",
    });
  }
}

async function problemOf(response) {
  const type = response.headers.get("Content-Type") ?? "";
  const problem = type.includes("json") ? await response.json().catch(() => ({})) : {};
  return new ProblemError({
    title: problem.title ?? `The server answered with status ${response.status}`,
    detail: problem.detail,
    status: response.status,
    requestId: problem.request_id ?? response.headers.get("X-Request-ID"),
  });
}
