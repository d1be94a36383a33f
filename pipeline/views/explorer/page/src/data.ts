// Files of data. From disk nothing can be fetched: a file is a classic script whose one call hands over a base64 text.

declare global {
  interface Window {
    headset_data(name: string, content: string): void;
  }
}

const waiting = new Map<string, (content: string) => void>();

window.headset_data = (name, content) => {
  waiting.get(name)?.(content);
  waiting.delete(name);
};

const asked = new Map<string, Promise<string>>();

/** The base64 content of `data/<name>.js`, asked for once; forgotten by who keeps what it made of it. */
export function content(name: string): Promise<string> {
  let found = asked.get(name);
  if (!found) {
    found = new Promise<string>((resolve, reject) => {
      const script = document.createElement("script");
      const failed = () => {
        waiting.delete(name);
        asked.delete(name);
        script.remove();
        reject(new Error(`data/${name}.js could not be read`));
      };
      waiting.set(name, (text) => {
        script.remove();
        resolve(text);
      });
      script.onerror = failed;
      script.onload = () => {
        if (waiting.has(name)) failed(); // it ran, and said something else
      };
      script.src = `data/${name}.js`;
      document.head.append(script);
    });
    asked.set(name, found);
  }
  return found;
}

export function forget(name: string): void {
  asked.delete(name);
}

export function bytesOf(text: string): Uint8Array {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let n = 0; n < raw.length; n++) bytes[n] = raw.charCodeAt(n);
  return bytes;
}

/** The content of a file of JSON. */
export async function json<T>(name: string): Promise<T> {
  const text = await content(name);
  forget(name);
  return JSON.parse(new TextDecoder().decode(bytesOf(text))) as T;
}

/** Keeps the last answers of a slow question. */
export function remembering<T>(most: number, ask: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const kept = new Map<string, Promise<T>>();
  return (key) => {
    let found = kept.get(key);
    if (found) kept.delete(key);
    else {
      found = ask(key);
      found.catch(() => kept.delete(key));
      if (kept.size >= most) kept.delete(kept.keys().next().value as string);
    }
    kept.set(key, found);
    return found;
  };
}
