import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../../i18n";
import { isAttended } from "../../ui/attention";
import { Time } from "../../ui/Time";
import { follow, type Picture, type Stream, streamOf } from "./picture";
import type { Vehicle } from "./records";

const FIND_MS = 10_000;

/** What a vehicle's camera shows now, where there is a stream of it. */
export function LivePicture({ vehicle }: { vehicle: Vehicle }) {
  const stream = useStream(vehicle);
  const { picture, old } = usePicture(stream?.source ?? null);
  if (stream === null) return <p class="soft">{t("fly.no_picture")}</p>;
  return (
    <figure class={old ? "picture old" : "picture"}>
      {picture === null ? (
        <p class="soft">{t("app.loading")}</p>
      ) : (
        <img src={picture.url} alt={t("fly.picture", { name: stream.name })} />
      )}
      <figcaption>
        {stream.name} {picture?.time != null && <Time at={picture.time} date={false} />}
        <strong role="status">{old ? t("fly.picture_old") : ""}</strong>
      </figcaption>
    </figure>
  );
}

function useStream(vehicle: Vehicle): Stream | null {
  const [stream, setStream] = useState<Stream | null>(null);
  const latest = useRef(vehicle);
  latest.current = vehicle;
  useEffect(() => {
    let over = false;
    const find = () => {
      if (!isAttended()) return;
      streamOf(latest.current)
        .then((found) => {
          if (!over) setStream(found);
        })
        .catch(() => undefined); // the page says elsewhere that the service is away
    };
    find();
    const timer = setInterval(find, FIND_MS);
    return () => {
      over = true;
      clearInterval(timer);
      setStream(null);
    };
  }, [vehicle.id]);
  return stream;
}

function usePicture(source: string | null): { picture: Picture | null; old: boolean } {
  const [picture, setPicture] = useState<Picture | null>(null);
  const [old, setOld] = useState(false);
  useEffect(() => {
    if (source === null) return;
    const end = follow(source, (newest, isOld) => {
      setPicture(newest);
      setOld(isOld);
    });
    return () => {
      end();
      setPicture(null);
      setOld(false);
    };
  }, [source]);
  return { picture, old };
}
