const root=document.documentElement,say=(message)=>PARENTS.forEach((origin)=>parent.postMessage(message,origin));
let height=0,completed=false;
new ResizeObserver(()=>{const now=Math.ceil(root.getBoundingClientRect().height);if(now!==height)say({type:'billing_portal.height',height:height=now})}).observe(root);
const look=(list)=>{if(!completed&&list.getEntries().some((entry)=>entry.serverTiming?.some((said)=>said.name==='completed'))){completed=true;say({type:'billing_portal.completed'})}};
for(const type of['navigation','resource'])new PerformanceObserver(look).observe({type,buffered:true});
