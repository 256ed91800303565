import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../../i18n";
import { isAttended } from "../../ui/attention";
import { Time } from "../../ui/Time";
import { follow, otherStreams, type Picture, type Stream, streamsOf } from "./picture";
import type { Vehicle } from "./records";
import type { Watch } from "./watch";

const FIND_MS = 10_000;

/** What a vehicle's cameras show now, beside each other. */
export function LivePictures({ vehicle }: { vehicle: Vehicle }) {
  return <Streams key={vehicle.id} find={() => streamsOf(vehicle)} />;
}

/** What cameras show that no vehicle of the list carries; nothing is asked for until somebody looks. */
export function OtherCameras({ watch }: { watch: Watch }) {
  const [open, setOpen] = useState(false);
  return (
    <details class="cameras" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t("fly.cameras")}</summary>
      {open && <Streams find={() => otherStreams(watch.vehicles.all.peek().values())} />}
    </details>
  );
}

function Streams({ find }: { find: () => Promise<Stream[]> }) {
  const [streams, setStreams] = useState<readonly Stream[]>([]);
  const latest = useRef(find);
  latest.current = find;
  useEffect(() => {
    let over = false;
    const look = () => {
      if (!isAttended()) return;
      latest
        .current()
        .then((found) => {
          if (!over) setStreams(found);
        })
        .catch(() => undefined); // the page says elsewhere that the service is away
    };
    look();
    const timer = setInterval(look, FIND_MS);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, []);
  if (streams.length === 0) return <p class="soft">{t("fly.no_picture")}</p>;
  return (
    <div class="pictures">
      {streams.map((each) => (
        <LivePicture key={each.source} stream={each} />
      ))}
    </div>
  );
}

function LivePicture({ stream: { source, name } }: { stream: Stream }) {
  const [picture, setPicture] = useState<Picture | null>(null);
  const [old, setOld] = useState(false);
  useEffect(
    () =>
      follow(source, (newest, isOld) => {
        setPicture(newest);
        setOld(isOld);
      }),
    [source],
  );
  return (
    <figure class={old ? "picture old" : "picture"}>
      {picture === null ? (
        <p class="soft">{t("app.loading")}</p>
      ) : (
        <img src={picture.url} alt={t("fly.picture", { name })} />
      )}
      <figcaption>
        {name} {picture?.time != null && <Time at={picture.time} date={false} />}
        <strong role="status">{old ? t("fly.picture_old") : ""}</strong>
      </figcaption>
    </figure>
  );
}
