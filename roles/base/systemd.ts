/** Folders beside those in /etc whose files count for a daemon of systemd, by their names and not by their place. */
export function otherSettings(daemon: string): readonly string[] {
  return ['/run/systemd', '/usr/local/lib/systemd'].map((folder) => `${folder}/${daemon}.conf.d`);
}
