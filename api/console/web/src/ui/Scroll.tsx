import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import "./sections.css";

interface Props {
  children: ComponentChildren;
  class?: string;
  /** What it is read out as; it is a region of the page then, its content a stack. */
  label?: string;
}

/** What scrolls where there is too little room for it: by key too, and a stop of the Tab key only then. */
export function Scroll({ children, class: name = "scroll", label }: Props) {
  const box = useRef<HTMLElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const [scrolls, setScrolls] = useState(false);
  useLayoutEffect(() => {
    const { current } = box;
    if (current === null) return;
    const look = () =>
      setScrolls(current.scrollWidth > current.clientWidth || current.scrollHeight > current.clientHeight);
    look();
    const watch = new ResizeObserver(look);
    for (const each of [current, content.current, ...(content.current?.children ?? [])]) {
      if (each !== null) watch.observe(each);
    }
    return () => watch.disconnect();
  }, [children]);
  const Box = label === undefined ? "div" : "section";
  return (
    <Box ref={box as never} class={name} aria-label={label} tabIndex={scrolls ? 0 : undefined}>
      <div ref={content} class={label === undefined ? undefined : "stack"}>
        {children}
      </div>
    </Box>
  );
}
